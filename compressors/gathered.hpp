// Every method that is a codec, run over all learners: messages are gathered, each learner decodes all.
#pragma once

#include <memory>

#include "compressors/codec.hpp"
#include "compressors/compressor.hpp"

namespace traincast {

/// Phase 0: encode, all-gather; phase 1: decode, sum in learner order, divide by N. A learner's contribution
/// is what its own message decodes to.
std::unique_ptr<Compressor> make_gathered(std::unique_ptr<Codec> codec, Coupling coupling, ErrorRule rule,
                                          std::uint64_t seed);

/// Tells what a learner's own message decodes to.
void report(Contributions& contributions, LearnerId learner, const Decoded& sent);

/// Divides by the number of learners.
void take_mean(std::span<float> sum, std::uint32_t learners);

/// One learner's message, and the call that it answers.
struct Sent {
  std::span<const std::byte> message;
  Call call;
};
/// The mean of what these messages say: added in their order, then divided; piece by piece where the codec
/// can.
void decode_mean(const Codec& codec, std::span<const Sent> sent, std::span<float> mean);

}  // namespace traincast
