// Structured power iterations: leading components of a product of two matrices with few rows in common, from
// the matrices (Baker et al., arXiv 2102.09631, rank-dAD; power_iteration_BC of the authors' code).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/exchange.hpp"
#include "base/random.hpp"

namespace traincast {

struct PowerIterations {
  std::uint64_t rank = 10, iterations = 5;
  double tolerance = 1e-3;
  /// Components before are taken out by σ²bbᵀ, exact where b is an eigenvector; the spectrum counts as
  /// exhausted where one b is within `tolerance` of the b before; and the last component that was computed is
  /// dropped (the list of components is cut by [1:-1]; one that ended the search is zero, and it is that one
  /// then). Otherwise each b is made orthogonal to those before, so that the sum of the components is the
  /// product projected on what they span; the spectrum is exhausted where σ is below `tolerance` of the
  /// first; and all are kept.
  bool as_authors = false;
};

/// Of LᵀR: rows σb of `left` numbers and c of `right` numbers each, the product being the sum of their outer
/// products.
struct Components {
  std::size_t count = 0;
  std::vector<float> left, right;
};

/// `left` is [common, rows], `right` [common, columns]; b begins even in [0, 1).
Components leading_components(std::span<const float> left, std::span<const float> right, std::size_t common,
                              const PowerIterations& settings, const StreamKey& starts);

/// What that costs, if no spectrum is exhausted.
std::vector<Work> power_iteration_work(std::uint64_t common, std::uint64_t rows, std::uint64_t columns,
                                       const PowerIterations& settings);

}  // namespace traincast
