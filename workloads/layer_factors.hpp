// The factors of a layer's gradient: its inputs A and the gradients Δ of its outputs, a row for each place of
// each sample, so that the gradient of the weights is ΔᵀA and that of the bias the column sums of Δ (Baker et
// al., arXiv 2102.09631). Read off the model, without a word of LibTorch.
//
// Linear layers, convolutions (A unfolded, im2col) and recurrent ones (Δ of the gates before their functions,
// A the inputs and the hidden states before) have factors. Everything else has none, and its gradient is
// summed: normalisations, embeddings, weights with several uses, transposed and grouped convolutions (of a
// depthwise one, a channel's factors are longer than its weights).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "workloads/models/model.hpp"

namespace traincast {

/// What a pass leaves of them.
enum class FactorForm : std::uint32_t {
  both,        ///< A and Δ of each layer; of a convolution its input, unfolded by who multiplies
  last_delta,  ///< A of each layer, Δ of the last alone: the inner ones are computed from these
  unfolded,    ///< A and Δ as they are multiplied; no column sums
};

/// Of each sample `rows` rows of `width` numbers.
struct FactorMatrix {
  std::string name;
  std::uint64_t rows = 1, width = 1;
  bool sent = true;       ///< false: computed from what others sent
  bool unfolded = false;  ///< of a convolution's input, a row of what each place sees; else the input itself

  std::uint64_t numbers() const { return rows * width; }  ///< of a sample
};

inline constexpr std::size_t kNoMatrix = SIZE_MAX;

/// Rows of a parameter's gradient, a matrix [first extent, all others], from as many columns of Δ.
struct FactorProduct {
  std::uint32_t parameter = 0;
  std::uint64_t row = 0, column = 0, count = 1;
  std::size_t deltas = 0, inputs = kNoMatrix;  ///< matrices of the layer; no inputs: column sums
};

/// Of one operation with parameters.
struct LayerFactors {
  std::string name;
  std::size_t operation = 0;
  std::vector<std::uint32_t> parameters;  ///< each belongs to the first operation that uses it
  std::vector<std::uint32_t> summed;      ///< those of them whose gradients have no factors here
  std::vector<FactorMatrix> matrices;
  std::vector<FactorProduct> products;
  /// last_delta: its output must be computed again from its input, for the functions behind it cannot be
  /// differentiated from the input of the next layer.
  bool again = false;

  std::uint64_t sent() const;  ///< numbers of a sample
};

/// In the order of operations; backward completes the last first.
std::vector<LayerFactors> layer_factors(const Model& model, FactorForm form);

/// Numbers of all matrices that are sent, which stand one after the other: a matrix has its samples' rows
/// together.
std::uint64_t factor_numbers(std::span<const LayerFactors> layers, std::uint64_t samples);

/// Why products of what is gathered in this form are not the gradient of the pooled mini-batch; empty where
/// they are. `last_delta` needs one chain of operations, each of which can be differentiated where it was not
/// computed: functions, pooling, changes of shape. `unfolded` promises nothing and is never refused.
std::string refusal_of_factors(const Model& model, FactorForm form);

}  // namespace traincast
