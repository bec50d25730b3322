#include "workloads/capture/factor_tape.hpp"

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/conv_transpose2d.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/im2col.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/sigmoid.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/tanh.h>
#include <ATen/ops/zeros.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/grad_mode.h>

#include <algorithm>
#include <cstring>
#include <stdexcept>

namespace traincast {

namespace {

using at::Tensor;

/// [samples, inputs of an output, places]
Tensor unfolded(const Tensor& image, const op::Convolution& o, const Shape& weight) {
  return at::im2col(image, {weight[2], weight[3]}, {1, 1}, {o.padding, o.padding}, {o.stride, o.stride});
}

Shape with_samples(std::int64_t samples, const Shape& shape) {
  Shape all{samples};
  all.insert(all.end(), shape.begin(), shape.end());
  return all;
}

const Shape& input_shape(const Model& model, const Operation& operation) {
  return operation.inputs[0] == 0 ? model.input.shape : model.operations[operation.inputs[0] - 1].result;
}

}  // namespace

FactorTape::FactorTape(const Model& model, std::span<const LayerFactors> layers)
    : model_(model), layers_(layers), kept_(layers.size()) {}

// PyTorch's equations of LSTM and GRU; gates i, f, g, o, and r, z, n.
Tensor FactorTape::unrolled(const op::Recurrent& cell, std::span<const Tensor> weights, const Tensor& input,
                            bool reverse, Direction& kept) const {
  const std::int64_t length = input.size(1), units = weights[1].size(1);
  kept.from_input = at::linear(input, weights[0], weights[2]);
  kept.from_input.retain_grad();
  const std::vector<Tensor> x = kept.from_input.unbind(1);
  Tensor h = at::zeros({input.size(0), units}, input.options()), c = h;
  const auto n = static_cast<std::size_t>(length);
  std::vector<Tensor> before(n), after(n);
  kept.from_hidden.resize(n);
  for (std::size_t i = 0; i < n; ++i) {
    const std::size_t t = reverse ? n - 1 - i : i;
    before[t] = h.detach();
    Tensor from_hidden = at::linear(h, weights[1], weights[3]);
    if (cell.cell == op::Recurrent::Cell::lstm) {
      const std::vector<Tensor> gates = (x[t] + from_hidden).chunk(4, 1);
      c = at::sigmoid(gates[1]) * c + at::sigmoid(gates[0]) * at::tanh(gates[2]);
      h = at::sigmoid(gates[3]) * at::tanh(c);
    } else {
      from_hidden.retain_grad();
      kept.from_hidden[t] = from_hidden;
      const std::vector<Tensor> own = x[t].chunk(3, 1), hidden = from_hidden.chunk(3, 1);
      const Tensor reset = at::sigmoid(own[0] + hidden[0]), keep = at::sigmoid(own[1] + hidden[1]);
      h = (1 - keep) * at::tanh(own[2] + reset * hidden[2]) + keep * h;
    }
    after[t] = h;
  }
  kept.hidden = at::stack(before, 1);
  return at::stack(after, 1);
}

Tensor FactorTape::take(std::size_t operation, std::span<const Tensor> parameters, const Tensor& input) {
  auto layer = std::ranges::find(layers_, operation, &LayerFactors::operation);
  if (layer == layers_.end() || layer->matrices.empty()) return {};
  Kept& kept = kept_[static_cast<std::size_t>(layer - layers_.begin())];
  kept.input = input.detach();
  const Operation& of = model_.operations[operation];
  std::vector<Tensor> weights;
  for (std::uint32_t id : of.parameters) weights.push_back(parameters[id]);
  if (const auto* cell = std::get_if<op::Recurrent>(&of.kind)) {
    std::vector<Tensor> results;
    kept.directions.resize(weights.size() / 4);
    for (std::size_t d = 0; d < kept.directions.size(); ++d)
      results.push_back(
          unrolled(*cell, std::span(weights).subspan(4 * d, 4), input, d == 1, kept.directions[d]));
    return results.size() == 1 ? results[0] : at::cat(results, 2);
  }
  weights.resize(2);
  if (const auto* o = std::get_if<op::Convolution>(&of.kind))
    kept.output = at::conv2d(input, weights[0], weights[1], o->stride, o->padding, 1, o->groups);
  else
    kept.output = at::linear(input, weights[0], weights[1]);
  kept.output.retain_grad();
  return kept.output;
}

std::vector<Tensor> FactorTape::matrices_of(std::size_t l) const {
  const LayerFactors& layer = layers_[l];
  const Kept& kept = kept_[l];
  const Operation& of = model_.operations[layer.operation];
  if (const auto* cell = std::get_if<op::Recurrent>(&of.kind)) {
    std::vector<Tensor> all;
    for (const Direction& direction : kept.directions) {
      all.insert(all.end(), {kept.input, direction.hidden, direction.from_input.grad()});
      if (cell->cell == op::Recurrent::Cell::lstm) continue;
      const std::int64_t units = direction.hidden.size(2);
      std::vector<Tensor> own;
      for (const Tensor& step : direction.from_hidden) own.push_back(step.grad().narrow(1, 2 * units, units));
      all.push_back(at::stack(own, 1));
    }
    return all;
  }
  const auto* o = std::get_if<op::Convolution>(&of.kind);
  if (!o) return {kept.input, kept.output.grad()};
  const Shape& weight = model_.layers[of.parameters[0]].shape;
  return {layer.matrices[0].unfolded ? unfolded(kept.input, *o, weight).transpose(1, 2) : kept.input,
          kept.output.grad().flatten(2).transpose(1, 2)};
}

void FactorTape::write(std::span<std::byte> into) const {
  torch::autograd::AutoGradMode no_graph(false);
  for (std::size_t l = 0; l < layers_.size(); ++l) {
    if (layers_[l].matrices.empty()) continue;
    const std::vector<Tensor> all = matrices_of(l);
    for (std::size_t m = 0; m < all.size(); ++m) {
      if (!layers_[l].matrices[m].sent) continue;
      const Tensor matrix = all[m].contiguous().cpu();
      const std::size_t bytes = matrix.nbytes();
      if (matrix.numel() != matrix.size(0) * static_cast<std::int64_t>(layers_[l].matrices[m].numbers()) ||
          bytes > into.size())
        throw std::logic_error(layers_[l].matrices[m].name + " have another size in LibTorch");
      std::memcpy(into.data(), matrix.data_ptr(), bytes);
      into = into.subspan(bytes);
    }
  }
}

namespace {

/// The matrices of a layer, of all learners' samples.
using Gathered = std::vector<Tensor>;

std::vector<Gathered> gather(const Multiplied& of, std::uint64_t samples,
                             std::span<const std::span<const std::byte>> sent) {
  const at::ScalarType type = of.parameters[0].scalar_type();
  const std::size_t size = at::elementSize(type);
  std::vector<Gathered> all(of.layers.size());
  std::uint64_t at = 0;
  for (std::size_t l = 0; l < of.layers.size(); ++l)
    for (const FactorMatrix& matrix : of.layers[l].matrices) {
      Tensor& joined = all[l].emplace_back();
      if (!matrix.sent) continue;
      const Shape shape{static_cast<std::int64_t>(samples * matrix.rows),
                        static_cast<std::int64_t>(matrix.width)};
      std::vector<Tensor> parts;
      for (std::span<const std::byte> one : sent) {
        if (one.size() < (at + samples * matrix.numbers()) * size)
          throw std::logic_error(matrix.name + " are not all there");
        // LibTorch takes no pointer to const; nothing is written there.
        parts.push_back(
            at::from_blob(const_cast<std::byte*>(one.data()) + at * size, shape, at::dtype(type)));
      }
      joined = at::cat(parts).to(of.parameters[0].device());
      at += samples * matrix.numbers();
    }
  return all;
}

/// [samples · places, outputs] as the gradient of an operation's result.
Tensor as_value(const Tensor& deltas, const Operation& operation, std::int64_t samples) {
  if (std::holds_alternative<op::Linear>(operation.kind))
    return deltas.reshape(with_samples(samples, operation.result));
  const Shape& to = operation.result;
  return deltas.reshape({samples, -1, to[0]}).transpose(1, 2).reshape(with_samples(samples, to));
}

Tensor as_rows(const Tensor& value, const Operation& operation) {
  if (std::holds_alternative<op::Linear>(operation.kind)) return value.reshape({-1, operation.result.back()});
  return value.flatten(2).transpose(1, 2).reshape({-1, operation.result[0]});
}

/// ΔW.
Tensor input_gradient(const Multiplied& of, const Operation& operation, const Tensor& deltas,
                      std::int64_t samples) {
  const Tensor weight = of.parameters[operation.parameters[0]].detach();
  const Shape& from = input_shape(of.model, operation);
  if (std::holds_alternative<op::Linear>(operation.kind))
    return deltas.mm(weight).reshape(with_samples(samples, from));
  const auto& o = std::get<op::Convolution>(operation.kind);
  auto left = [&](std::size_t side) { return (from[side] + 2 * o.padding - weight.size(2)) % o.stride; };
  return at::conv_transpose2d(as_value(deltas, operation, samples), weight, {}, {o.stride, o.stride},
                              {o.padding, o.padding}, {left(1), left(2)});
}

/// Back through one operation that has no parameters; `known` is its result, where it is known, and becomes
/// its input.
Tensor back_through(const Operation& operation, const Shape& from, Tensor gradient, Tensor& known) {
  const std::int64_t samples = gradient.size(0);
  if (const auto* f = std::get_if<op::Function>(&operation.kind)) {
    const Tensor y = std::exchange(known, Tensor());
    switch (*f) {
      case op::Function::relu: return gradient * (y > 0);
      case op::Function::relu6: return gradient * ((y > 0) & (y < 6));
      case op::Function::tanh: return gradient * (1 - y * y);
      case op::Function::gelu: break;
    }
    throw std::logic_error("the function's result does not tell its derivative");
  }
  if (const auto* scale = std::get_if<op::Scale>(&operation.kind)) {
    if (known.defined()) known = known / scale->factor;
    return gradient * scale->factor;
  }
  auto back = [&](const Tensor& x) {
    const Shape shape = with_samples(samples, from);
    if (std::holds_alternative<op::PlacesLast>(operation.kind)) return x.transpose(1, 2).reshape(shape);
    return x.reshape(shape);
  };
  if (std::holds_alternative<op::MeanOfPlaces>(operation.kind)) {
    known = Tensor();
    const auto places = static_cast<double>(from[1] * from[2]);
    return (gradient / places).unsqueeze(2).unsqueeze(3).expand(with_samples(samples, from));
  }
  if (known.defined()) known = back(known);
  return back(gradient);
}

/// Δ of the layer before, from the gradient of the input of this one.
Tensor deltas_before(const Multiplied& of, const LayerFactors& before, const LayerFactors& layer,
                     const Tensor& inputs_before, const Tensor& inputs, Tensor gradient) {
  const Operation& operation = of.model.operations[before.operation];
  const std::int64_t samples = gradient.size(0);
  if (before.again) {
    const Tensor x = inputs_before.reshape(with_samples(samples, input_shape(of.model, operation)));
    const Tensor result =
        of.forward.through(before.operation, before.operation + 1, of.parameters, x).detach();
    torch::autograd::AutoGradMode graph(true);
    Tensor leaf = result.requires_grad_();
    const Tensor reached = of.forward.through(before.operation + 1, layer.operation, of.parameters, leaf);
    return as_rows(torch::autograd::grad({reached}, {leaf}, {gradient})[0], operation);
  }
  const Operation& own = of.model.operations[layer.operation];
  Tensor known = inputs.reshape(with_samples(samples, input_shape(of.model, own)));
  for (std::size_t i = layer.operation; i-- > before.operation + 1;) {
    const Operation& passed = of.model.operations[i];
    gradient = back_through(passed, input_shape(of.model, passed), gradient, known);
  }
  return as_rows(gradient, operation);
}

void recompute(const Multiplied& of, std::vector<Gathered>& all, std::int64_t samples) {
  for (std::size_t l = of.layers.size(); l-- > 1;) {
    const LayerFactors &layer = of.layers[l], &before = of.layers[l - 1];
    const std::size_t deltas = before.products[0].deltas;
    if (before.matrices[deltas].sent) continue;
    const Tensor gradient =
        input_gradient(of, of.model.operations[layer.operation], all[l][layer.products[0].deltas], samples);
    all[l - 1][deltas] = deltas_before(of, before, layer, all[l - 1][before.products[0].inputs],
                                       all[l][layer.products[0].inputs], gradient);
  }
}

}  // namespace

void multiply_factors(const Multiplied& of, std::uint64_t samples,
                      std::span<const std::span<const std::byte>> sent, std::span<std::byte> gradient) {
  torch::autograd::AutoGradMode no_graph(false);
  const auto pooled = static_cast<std::int64_t>(samples * sent.size());
  std::vector<Gathered> all = gather(of, samples, sent);
  if (std::ranges::any_of(of.layers, [](const LayerFactors& layer) {
        return std::ranges::any_of(layer.matrices, [](const FactorMatrix& m) { return !m.sent; });
      }))
    recompute(of, all, pooled);
  std::vector<std::uint64_t> first{0};
  for (const TensorInfo& tensor : of.model.layers) first.push_back(first.back() + tensor.numel());
  const at::ScalarType type = of.parameters[0].scalar_type();
  for (std::size_t l = 0; l < of.layers.size(); ++l)
    for (const FactorProduct& product : of.layers[l].products) {
      const auto column = static_cast<std::int64_t>(product.column),
                 count = static_cast<std::int64_t>(product.count);
      const Operation& operation = of.model.operations[of.layers[l].operation];
      const Tensor deltas = all[l][product.deltas].narrow(1, column, count);
      Tensor own;
      if (product.inputs == kNoMatrix) {
        own = deltas.sum(0);
      } else {
        Tensor inputs = all[l][product.inputs];
        const auto* o = std::get_if<op::Convolution>(&operation.kind);
        if (o && !of.layers[l].matrices[product.inputs].unfolded) {
          const Shape& weight = of.model.layers[product.parameter].shape;
          Tensor image = inputs.reshape(with_samples(pooled, input_shape(of.model, operation)));
          inputs = unfolded(image, *o, weight).transpose(1, 2).reshape({deltas.size(0), -1});
        }
        own = deltas.t().mm(inputs);
      }
      own = own / static_cast<double>(sent.size());
      const std::int64_t width = own.numel() / count;
      const std::uint64_t at = first[product.parameter] + product.row * static_cast<std::uint64_t>(width);
      const std::size_t size = at::elementSize(type);
      if ((at + static_cast<std::uint64_t>(own.numel())) * size > gradient.size())
        throw std::logic_error("the gradient has no place for what is multiplied");
      at::from_blob(gradient.data() + at * size, {count, width}, at::dtype(type))
          .copy_(own.reshape({count, width}));
    }
}

}  // namespace traincast
