#include "workloads/capture/forward.hpp"

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/batch_norm.h>
#include <ATen/ops/binary_cross_entropy_with_logits.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/conv_transpose2d.h>
#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/embedding.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/gelu.h>
#include <ATen/ops/gru.h>
#include <ATen/ops/hardtanh.h>
#include <ATen/ops/layer_norm.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/lstm.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/max_pool2d.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/relu.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/tanh.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <string>

namespace traincast {

namespace {

using at::Tensor;

/// What an operation is carried out on; each kind is one overload.
struct Step {
  const Operation& operation;
  std::span<const Tensor> parameters;
  std::span<const Tensor> values;
  at::Generator* generator;  ///< null: nothing is dropped

  const Tensor& in(std::size_t i = 0) const { return values[operation.inputs[i]]; }
  Tensor parameter(std::size_t i) const {
    return i < operation.parameters.size() ? parameters[operation.parameters[i]] : Tensor();
  }
  /// Ones and zeros on the host, so that every device drops the same.
  Tensor dropped(const Tensor& x, double rate) const {
    if (rate == 0 || !generator) return x;
    Tensor kept = at::empty(x.sizes(), at::kFloat).bernoulli_(1 - rate, *generator).div_(1 - rate);
    return x * kept.to(x.device(), x.scalar_type());
  }

  Tensor operator()(const op::Convolution& o) const {
    if (o.transposed) return at::conv_transpose2d(in(), parameter(0), parameter(1), o.stride, o.padding);
    return at::conv2d(in(), parameter(0), parameter(1), o.stride, o.padding, 1, o.groups);
  }
  // By the mini-batch's own statistics; running ones serve inference only.
  Tensor operator()(const op::BatchNorm&) const {
    return at::batch_norm(in(), parameter(0), parameter(1), {}, {}, /*training=*/true, /*momentum=*/0.1,
                          /*eps=*/1e-5, /*cudnn_enabled=*/true);
  }
  Tensor operator()(const op::LayerNorm& o) const {
    return at::layer_norm(in(), {in().size(-1)}, parameter(0), parameter(1), o.epsilon);
  }
  Tensor operator()(const op::Linear&) const { return at::linear(in(), parameter(0), parameter(1)); }
  Tensor operator()(const op::Embedding&) const { return at::embedding(parameter(0), in()); }
  Tensor operator()(const op::AddRows& o) const {
    Tensor rows = at::from_blob(const_cast<std::int64_t*>(o.rows.data()),
                                {static_cast<std::int64_t>(o.rows.size())}, at::kLong);
    return in() + at::embedding(parameter(0), rows.to(in().device()));
  }
  Tensor operator()(const op::Recurrent& o) const {
    std::vector<Tensor> weights;
    for (std::uint32_t id : operation.parameters) weights.push_back(parameters[id]);
    std::int64_t units = weights[1].size(1);
    Tensor zero = at::zeros({o.bidirectional ? 2 : 1, in().size(0), units}, in().options());
    constexpr bool biases = true, train = true, batch_first = true;
    if (o.cell == op::Recurrent::Cell::gru)
      return std::get<0>(at::gru(in(), zero, weights, biases, 1, 0.0, train, o.bidirectional, batch_first));
    return std::get<0>(
        at::lstm(in(), {zero, zero}, weights, biases, 1, 0.0, train, o.bidirectional, batch_first));
  }
  Tensor operator()(const op::Attention& o) const {
    auto heads = [&](const Tensor& x) {
      return x.reshape({x.size(0), x.size(1), o.heads, x.size(2) / o.heads}).transpose(1, 2);
    };
    Tensor queries = heads(in(0)), keys = heads(in(1)), carried = heads(in(2));
    Tensor scores = at::matmul(queries, keys.transpose(2, 3)) / std::sqrt(static_cast<double>(keys.size(3)));
    if (o.causal) {
      Tensor later = at::ones({scores.size(2), scores.size(3)}, scores.options().dtype(at::kBool)).triu(1);
      scores = scores.masked_fill(later, -std::numeric_limits<float>::infinity());
    }
    return at::matmul(dropped(at::softmax(scores, -1), o.dropout), carried)
        .transpose(1, 2)
        .reshape(in().sizes());
  }
  Tensor operator()(op::Function f) const {
    switch (f) {
      case op::Function::relu: return at::relu(in());
      case op::Function::relu6: return at::hardtanh(in(), 0, 6);
      case op::Function::gelu: return at::gelu(in());
      case op::Function::tanh: return at::tanh(in());
    }
    throw std::logic_error("unknown function");
  }
  Tensor operator()(const op::Dropout& o) const { return dropped(in(), o.rate); }
  Tensor operator()(const op::AddWaves&) const {
    std::int64_t length = in().size(1), width = in().size(2);
    auto options = in().options();
    Tensor position = at::arange(length, options).unsqueeze(1);
    Tensor frequency =
        (at::arange((width + 1) / 2, options) * (-2 * std::log(1e4) / static_cast<double>(width))).exp();
    Tensor phase = position * frequency;
    Tensor waves = at::stack({phase.sin(), phase.cos()}, 2).reshape({length, -1}).narrow(1, 0, width);
    return in() + waves;
  }
  Tensor operator()(const op::Add&) const { return in(0) + in(1); }
  Tensor operator()(const op::Multiply&) const { return in(0) * in(1); }
  Tensor operator()(const op::Concatenate&) const { return at::cat({in(0), in(1)}, 1); }
  Tensor operator()(const op::MaxPool& o) const {
    return at::max_pool2d(in(), o.kernel, o.stride, o.padding);
  }
  Tensor operator()(const op::MeanOfPlaces&) const { return in().mean({2, 3}); }
  Tensor operator()(const op::PlacesLast&) const { return in().flatten(2).transpose(1, 2); }
  Tensor operator()(const op::Flatten&) const { return in().flatten(1); }
  Tensor operator()(const op::Scale& o) const { return in() * o.factor; }
  Tensor operator()(const op::Slice& o) const {
    return in().slice(static_cast<std::int64_t>(o.extent) + 1, o.begin, o.end, o.step);
  }
  Tensor operator()(const op::PadChannels& o) const {
    return at::constant_pad_nd(in(), {0, 0, 0, 0, o.before, o.behind}, 0);
  }
};

bool has_shape(const Tensor& value, std::int64_t samples, const Shape& shape) {
  return value.dim() == static_cast<std::int64_t>(shape.size()) + 1 && value.size(0) == samples &&
         std::equal(shape.begin(), shape.end(), value.sizes().begin() + 1);
}

}  // namespace

Forward::Forward(const Model& model) : model_(model), last_use_(model.operations.size() + 1, 0) {
  for (std::size_t i = 0; i < model.operations.size(); ++i)
    for (ValueId input : model.operations[i].inputs) last_use_[input] = i;
  for (const Loss& loss : model.losses) last_use_[loss.logits] = SIZE_MAX;
}

std::vector<at::Tensor> Forward::logits(std::span<const at::Tensor> parameters, at::Tensor input,
                                        at::Generator* dropout, OperationTaker* taker) const {
  std::int64_t samples = input.size(0);
  std::vector<Tensor> values;
  values.reserve(model_.operations.size() + 1);
  values.push_back(std::move(input));
  for (std::size_t i = 0; i < model_.operations.size(); ++i) {
    const Operation& operation = model_.operations[i];
    Tensor taken;
    if (taker && operation.inputs.size() == 1)
      taken = taker->take(i, parameters, values[operation.inputs[0]]);
    values.push_back(
        taken.defined() ? taken : std::visit(Step{operation, parameters, values, dropout}, operation.kind));
    if (!has_shape(values.back(), samples, operation.result))
      throw std::logic_error("operation " + std::to_string(i) +
                             " of the model has another shape in LibTorch");
    for (ValueId used : operation.inputs)
      if (last_use_[used] == i) values[used].reset();
  }
  std::vector<Tensor> all;
  for (const Loss& loss : model_.losses) all.push_back(values[loss.logits].reshape({-1, loss.classes}));
  return all;
}

at::Tensor Forward::through(std::size_t first, std::size_t end, std::span<const at::Tensor> parameters,
                            at::Tensor input) const {
  std::vector<Tensor> values(end + 1);
  values[first] = std::move(input);
  for (std::size_t i = first; i < end; ++i) {
    const Operation& operation = model_.operations[i];
    values[i + 1] = std::visit(Step{operation, parameters, values, nullptr}, operation.kind);
  }
  return values[end];
}

at::Tensor Forward::loss(std::span<const at::Tensor> logits, const at::Tensor& labels) const {
  Tensor sum;
  std::int64_t first = 0;
  for (std::size_t i = 0; i < logits.size(); ++i) {
    const Loss& loss = model_.losses[i];
    Tensor own = labels.narrow(1, first, loss.rows).reshape(-1);
    Tensor term = loss.classes == 1 ? at::binary_cross_entropy_with_logits(logits[i].reshape(-1),
                                                                           own.to(logits[i].scalar_type()))
                                    : at::cross_entropy_loss(logits[i], own);
    sum = sum.defined() ? sum + term : term;
    first += loss.rows;
  }
  return sum;
}

}  // namespace traincast
