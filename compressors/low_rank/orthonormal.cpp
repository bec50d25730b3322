#include <Eigen/QR>

#include "compressors/low_rank/low_rank.hpp"

namespace traincast {

void orthogonalise_by_reflections(std::span<float> p, std::size_t rows, std::size_t rank) {
  using Matrix = Eigen::MatrixXf;
  if (rank == 0) return;
  Eigen::Map<Matrix> columns(p.data(), static_cast<Eigen::Index>(rows), static_cast<Eigen::Index>(rank));
  Eigen::HouseholderQR<Matrix> qr(columns);
  columns = qr.householderQ() * Matrix::Identity(columns.rows(), columns.cols());
}

}  // namespace traincast
