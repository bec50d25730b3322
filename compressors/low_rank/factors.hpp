// The matrices of a unit and the two thin factors P and Q of each: what low-rank methods share.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "base/exchange.hpp"
#include "compressors/low_rank/low_rank.hpp"

namespace traincast {

/// P has the matrix's rows, Q its columns.
enum class Side { p, q };
constexpr Side other(Side side) { return side == Side::p ? Side::q : Side::p; }

/// A matrix of a unit: where it lies in the unit's vector, and where its factors lie among those of all.
struct FactoredMatrix {
  std::uint32_t tensor;  ///< its id
  std::size_t offset, rows, columns, rank;
  std::size_t p, q;

  std::size_t extent(Side side) const { return side == Side::p ? rows : columns; }
  std::size_t factor(Side side) const { return side == Side::p ? p : q; }
};

/// How often a matrix product or an orthogonalisation is launched on an accelerator.
enum class Launches { per_matrix, per_shape };

/// The P of all matrices of a unit lie in one vector, column after column, so that they travel as one; so do
/// the Q.
class Factors {
 public:
  /// Every tensor of two dimensions or more, as output features × all the rest, of rank min(rows, columns,
  /// rank); with a `least_rate` only those for which (rows + columns) · rank · least_rate < rows · columns.
  static Factors of(const Bucket& unit, std::uint64_t rank, double least_rate = 0);
  /// One square matrix that holds the unit, ⌈√numel⌉ each way.
  static Factors square(const Bucket& unit, std::uint64_t rank);

  const std::vector<FactoredMatrix>& matrices() const { return matrices_; }
  /// Numbers in the factors of that side.
  std::size_t size(Side side) const { return side == Side::p ? p_size_ : q_size_; }
  /// Elements of the unit outside of all matrices.
  std::size_t rest() const { return rest_; }
  /// Elements of a vector that holds the unit and all matrices: more than the unit's where one is padded.
  std::size_t padded() const { return padded_; }

  void take_rest(std::span<const float> unit, std::span<float> rest) const;
  void put_rest(std::span<const float> rest, std::span<float> unit) const;

  /// P = M Q or Q = Mᵀ P: `side` is the one that comes out.
  void project(Side side, std::span<const float> unit, std::span<const float> in, std::span<float> out) const;
  /// The matrices P Qᵀ; what is outside of them stays.
  void expand(std::span<const float> p, std::span<const float> q, std::span<float> unit) const;
  using Orthogonalise = std::function<void(std::span<float> columns, std::size_t rows, std::size_t rank)>;
  void orthogonalise(Side side, std::span<float> factors, const Orthogonalise& method) const;

  /// From N(0, 1), by a seed that all learners share; of each matrix the same whatever else is in the unit.
  void draw(Side side, std::uint64_t seed, std::uint64_t step, std::span<float> factors) const;

  /// Of one product of all matrices with a factor, or of one expansion.
  std::vector<Work> product_work(Launches launches) const;
  /// `primitive` may differ with the rank.
  std::vector<Work> orthogonalise_work(Side side, Launches launches,
                                       Primitive (*primitive)(std::size_t rank)) const;

 private:
  struct Stretch {
    std::size_t begin, size;
  };
  std::vector<FactoredMatrix> matrices_;
  std::vector<Stretch> outside_;
  std::size_t p_size_ = 0, q_size_ = 0, rest_ = 0, padded_ = 0;

  void add(FactoredMatrix matrix);
};

/// What a method carries from step to step, as saved by another run: throws InputError where it has another
/// size.
void expect_factor(std::span<const float> saved, std::size_t size, const Bucket& unit);

}  // namespace traincast
