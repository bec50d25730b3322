// A model's forward pass in LibTorch, operation by operation. Included by LibTorch's side only.
#pragma once

#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>

#include <span>
#include <vector>

#include "workloads/models/model.hpp"

namespace traincast {

/// Carries out operations in its own way.
class OperationTaker {
 public:
  virtual ~OperationTaker() = default;
  /// The result of an operation of one input; undefined where it is not taken.
  virtual at::Tensor take(std::size_t operation, std::span<const at::Tensor> parameters,
                          const at::Tensor& input) = 0;
};

class Forward {
 public:
  explicit Forward(const Model& model);
  /// The logits of each loss for a mini-batch [samples, …]. The generator draws what dropout drops; without
  /// one nothing is dropped. Throws std::logic_error where a value has not the shape that the model says.
  std::vector<at::Tensor> logits(std::span<const at::Tensor> parameters, at::Tensor input,
                                 at::Generator* dropout, OperationTaker* taker = nullptr) const;
  /// From the input of operation `first` to that of `end`, where each has the one before as its only input.
  at::Tensor through(std::size_t first, std::size_t end, std::span<const at::Tensor> parameters,
                     at::Tensor input) const;
  /// `labels` [samples, labels of each].
  at::Tensor loss(std::span<const at::Tensor> logits, const at::Tensor& labels) const;

 private:
  const Model& model_;
  std::vector<std::size_t> last_use_;  ///< by value: the operation after which it can go
};

}  // namespace traincast
