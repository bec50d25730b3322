// Every method that is a codec, run over all learners: messages are gathered, each learner decodes all.
#pragma once

#include <memory>

#include "compressors/codec.hpp"
#include "compressors/compressor.hpp"

namespace traincast {

/// Phase 0: encode, all-gather; phase 1: decode, sum in learner order, divide by N. A learner's contribution
/// is what its own message decodes to.
std::unique_ptr<Compressor> make_gathered(std::unique_ptr<const Codec> codec, Coupling coupling,
                                          ErrorRule rule);

}  // namespace traincast
