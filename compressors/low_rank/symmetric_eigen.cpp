// The only place that compiles Eigen's solver, which takes a minute.
#include "compressors/low_rank/symmetric_eigen.hpp"

#include <Eigen/Eigenvalues>
#include <algorithm>

namespace traincast {

std::vector<double> gram(MatrixView matrix, Side side) {
  using Values = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  const auto rows = static_cast<Eigen::Index>(matrix.rows),
             columns = static_cast<Eigen::Index>(matrix.columns);
  // As columns of n numbers, so that one product serves both sides.
  const Eigen::Map<const Values> given(matrix.data, rows, columns);
  const Eigen::MatrixXd wide = side == Side::p ? Eigen::MatrixXd(given.cast<double>())
                                               : Eigen::MatrixXd(given.transpose().cast<double>());
  std::vector<double> product(static_cast<std::size_t>(wide.rows() * wide.rows()));
  Eigen::Map<Eigen::MatrixXd>(product.data(), wide.rows(), wide.rows()).noalias() = wide * wide.transpose();
  return product;
}

SymmetricEigen symmetric_eigen(std::span<const double> matrix, std::size_t n) {
  const auto extent = static_cast<Eigen::Index>(n);
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver(
      Eigen::Map<const Eigen::MatrixXd>(matrix.data(), extent, extent));
  SymmetricEigen eigen;
  for (Eigen::Index i = extent; i-- > 0;) {  // they rise
    eigen.values.push_back(solver.eigenvalues()[i]);
    const double* vector = solver.eigenvectors().col(i).data();
    eigen.vectors.insert(eigen.vectors.end(), vector, vector + n);
  }
  return eigen;
}

}  // namespace traincast
