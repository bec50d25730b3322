// The factors of layers' gradients in LibTorch: kept during a pass, and multiplied once they are gathered.
// Included by LibTorch's side only.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstddef>
#include <span>
#include <vector>

#include "workloads/capture/forward.hpp"
#include "workloads/layer_factors.hpp"

namespace traincast {

/// Keeps inputs and outputs of layers with factors during forward, so that backward leaves the outputs'
/// gradients. Recurrent layers are unrolled by hand, for LibTorch's own give no gradient of their gates.
class FactorTape : public OperationTaker {
 public:
  FactorTape(const Model& model, std::span<const LayerFactors> layers);
  at::Tensor take(std::size_t operation, std::span<const at::Tensor> parameters,
                  const at::Tensor& input) override;
  /// After backward: the matrices that are sent, one after the other.
  void write(std::span<std::byte> into) const;

 private:
  struct Direction {
    at::Tensor from_input;                ///< products of all steps, with the bias
    std::vector<at::Tensor> from_hidden;  ///< by step; GRU
    at::Tensor hidden;                    ///< states before each step
  };
  struct Kept {
    at::Tensor input, output;
    std::vector<Direction> directions;
  };
  at::Tensor unrolled(const op::Recurrent& cell, std::span<const at::Tensor> weights, const at::Tensor& input,
                      bool reverse, Direction& kept) const;
  std::vector<at::Tensor> matrices_of(std::size_t layer) const;

  const Model& model_;
  std::span<const LayerFactors> layers_;
  std::vector<Kept> kept_;  // by layer
};

/// What is known where gathered factors are multiplied.
struct Multiplied {
  const Model& model;
  const Forward& forward;
  std::span<const at::Tensor> parameters;
  std::span<const LayerFactors> layers;
};

/// As Replica::multiply says.
void multiply_factors(const Multiplied& of, std::uint64_t samples,
                      std::span<const std::span<const std::byte>> sent, std::span<std::byte> gradient);

}  // namespace traincast
