// A method carried out on numbers of no meaning: what it sends, as far as that follows from shapes.
#pragma once

#include <set>
#include <vector>

#include "simulator/scenario/scenario.hpp"

namespace traincast {

/// One step of one unit among so many learners, which stand for more alike, with the error feedback around
/// it.
std::vector<Phase> trial_phases(const Choice<MakeCompressor>& method, std::uint64_t seed, const Bucket& unit,
                                std::uint32_t learners, std::uint32_t stands_for, ErrorRule rule);

/// The words that the method sends for a matrix of a few thousand elements and for a vector; others are
/// possible where tensors are of other sizes. None where the method refuses these.
std::set<Word> words_sent(const Choice<MakeCompressor>& method, std::uint64_t seed);

/// Refuses the key "transport" of a method that does not choose one, with the words that carry it.
void refuse_transport_without_choice(const JsonReader& compressor);

}  // namespace traincast
