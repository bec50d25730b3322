// The principal directions of a matrix, in double: eigenvectors of M Mᵀ or Mᵀ M. They are good to the square
// root of double's precision, 1e-8 of the largest, which is below what floats hold.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "compressors/low_rank/factors.hpp"

namespace traincast {

/// Of side p M Mᵀ, of side q Mᵀ M: n × n numbers.
std::vector<double> gram(MatrixView matrix, Side side);

struct SymmetricEigen {
  std::vector<double> values;   ///< falling
  std::vector<double> vectors;  ///< of n numbers each, in the order of their values

  std::span<const double> vector(std::size_t i) const {
    return std::span(vectors).subspan(i * values.size(), values.size());
  }
};
SymmetricEigen symmetric_eigen(std::span<const double> matrix, std::size_t n);

}  // namespace traincast
