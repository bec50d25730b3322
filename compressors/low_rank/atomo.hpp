// How ATOMO chooses atoms: probabilities by size, and draws.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace traincast {

/// Wang et al. 2018 (arXiv 1806.04090), Algorithm 1: the probabilities of least variance whose sum is the
/// budget (or the number of atoms that are not zero, if that is less). `sizes` fall.
std::vector<double> water_filling(std::span<const double> sizes, std::uint64_t budget);

/// min(1, budget · size / Σ size): of the authors' code, whose sum may stay below the budget.
std::vector<double> clipped_probabilities(std::span<const double> sizes, std::uint64_t budget);

/// Places whose draw of [0, 1) lies below their probability.
std::vector<std::size_t> draw_each(std::span<const double> probabilities, std::span<const double> uniform);

/// Exactly so many places, as likely as if `draw_each` were repeated until it gives so many; rising.
std::vector<std::size_t> draw_exactly(std::span<const double> probabilities, std::uint64_t count,
                                      std::span<const double> uniform);

}  // namespace traincast
