// The three matrix passes of low-rank methods and their orthogonalisation. Every sum runs in an order that is
// written down here, so that results do not depend on the width of the machine's vectors or on its caches.
#pragma once

#include <cstddef>
#include <span>

namespace traincast {

/// An n × m matrix, row after row.
struct MatrixView {
  const float* data;
  std::size_t rows, columns;
};

/// P = M Q: `q` holds r columns of m values each, one after the other, `p` receives r columns of n.
void project(MatrixView matrix, std::span<const float> q, std::span<float> p, std::size_t rank);

/// Q = Mᵀ P, laid out as in project.
void project_back(MatrixView matrix, std::span<const float> p, std::span<float> q, std::size_t rank);

/// P Qᵀ as n × m, row after row.
void expand(std::span<const float> p, std::span<const float> q, std::size_t rank, std::size_t rows,
            std::size_t columns, std::span<float> matrix);

/// Modified Gram–Schmidt in place, column by column, each divided by its norm + epsilon (Vogels et al. 2019,
/// Algorithm 1; 1e-8 in the authors' code). A column of zeros stays one.
void orthogonalise(std::span<float> p, std::size_t rows, std::size_t rank, float epsilon = 1e-8f);

/// An orthonormal basis of the same columns by Householder's reflections, in place; rank ≤ rows.
void orthogonalise_by_reflections(std::span<float> p, std::size_t rows, std::size_t rank);

}  // namespace traincast
