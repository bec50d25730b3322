#include "workloads/models/model_builder.hpp"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <numeric>

#include "base/error.hpp"

namespace traincast {

namespace {

constexpr double kWord = 4;

double product(const Shape& shape) {
  return static_cast<double>(
      std::accumulate(shape.begin(), shape.end(), std::int64_t{1}, std::multiplies<>()));
}

Shape with_last(Shape shape, std::int64_t last) {
  shape.back() = last;
  return shape;
}

}  // namespace

std::uint64_t Model::parameters() const {
  std::uint64_t sum = 0;
  for (const TensorInfo& layer : layers) sum += layer.numel();
  return sum;
}

std::int64_t Model::labels() const {
  std::int64_t sum = 0;
  for (const Loss& loss : losses) sum += loss.rows;
  return sum;
}

std::uint32_t ModelBuilder::parameter(const std::string& name, Shape shape, const char* kind,
                                      Initial initial) {
  auto id = static_cast<std::uint32_t>(model_.layers.size());
  model_.layers.push_back({id, name, std::move(shape), kind});
  model_.costs.emplace_back();
  model_.initial.push_back(initial);
  return id;
}

std::uint32_t ModelBuilder::find(const std::string& name) const {
  auto found = std::ranges::find(model_.layers, name, &TensorInfo::name);
  assert(found != model_.layers.end());
  return found->id;
}

Value ModelBuilder::apply(op::Kind kind, std::vector<Value> inputs, std::vector<std::uint32_t> parameters,
                          Shape result, std::uint32_t owner) {
  std::vector<ValueId> ids;
  for (Value input : inputs) ids.push_back(input.id);
  model_.operations.push_back({std::move(kind), std::move(ids), std::move(parameters), result});
  shapes_.push_back(std::move(result));
  owners_.push_back(owner);
  return {static_cast<ValueId>(shapes_.size() - 1)};
}

void ModelBuilder::charge(std::uint32_t layer, double flops, double moved, double moved_backward) {
  if (layer == kNobody) return;
  LayerCost& cost = model_.costs[layer];
  cost.flops += flops;
  cost.bytes += kWord * moved;
  cost.backward_bytes += kWord * moved_backward;
}

void ModelBuilder::begin_with(const std::string& name, Initial initial) {
  model_.initial[find(name)] = initial;
}

const Shape& ModelBuilder::shape(Value x) const { return shapes_[x.id]; }

std::int64_t ModelBuilder::elements(Value x) const { return static_cast<std::int64_t>(product(shape(x))); }

Value ModelBuilder::features(Shape shape) {
  model_.input = {shape, {}};
  shapes_.push_back(std::move(shape));
  owners_.push_back(kNobody);
  return {0};
}

Value ModelBuilder::numbers(std::int64_t length, std::vector<std::int64_t> ranges) {
  model_.input = {{length}, std::move(ranges)};
  shapes_.push_back({length});
  owners_.push_back(kNobody);
  return {0};
}

Value ModelBuilder::convolution(const std::string& name, Value x, std::int64_t outputs, std::int64_t kernel,
                                ConvolutionOptions options) {
  const Shape from = shape(x);
  std::int64_t inputs = from[0] / options.groups, padding = kernel / 2;
  auto extent = [&](std::int64_t n) { return (n + 2 * padding - kernel) / options.stride + 1; };
  Shape to{outputs, extent(from[1]), extent(from[2])};
  double fan_in = static_cast<double>(inputs * kernel * kernel);
  std::uint32_t weight = parameter(name + ".weight", {outputs, inputs, kernel, kernel}, "conv.weight",
                                   {0, std::sqrt(options.gain / fan_in)});
  std::vector<std::uint32_t> parameters{weight};
  if (options.bias) parameters.push_back(parameter(name + ".bias", {outputs}, "bias", {}));
  double own = product(from) + product(to);
  charge(weight, 2 * fan_in * product(to), own, 2 * own);
  return apply(op::Convolution{options.stride, padding, options.groups, false}, {x}, parameters, to, weight);
}

Value ModelBuilder::enlarge(const std::string& name, Value x, std::int64_t outputs) {
  const Shape from = shape(x);
  Shape to{outputs, 2 * from[1], 2 * from[2]};
  // An output place sees one place of the input.
  std::uint32_t weight = parameter(name + ".weight", {from[0], outputs, 2, 2}, "conv.weight",
                                   {0, std::sqrt(1.0 / static_cast<double>(from[0]))});
  std::uint32_t bias = parameter(name + ".bias", {outputs}, "bias", {});
  double own = product(from) + product(to);
  charge(weight, 2 * static_cast<double>(from[0]) * product(to), own, 2 * own);
  return apply(op::Convolution{2, 0, 1, true}, {x}, {weight, bias}, to, weight);
}

// Read twice and written once; backward reads gradient and input twice.
Value ModelBuilder::batch_norm(const std::string& name, Value x) {
  std::int64_t channels = shape(x)[0];
  std::uint32_t weight = parameter(name + ".weight", {channels}, "norm.weight", {1, 0});
  std::uint32_t bias = parameter(name + ".bias", {channels}, "norm.bias", {});
  double n = product(shape(x));
  charge(weight, 4 * n, 3 * n, 5 * n);
  return apply(op::BatchNorm{}, {x}, {weight, bias}, shape(x), weight);
}

Value ModelBuilder::layer_norm(const std::string& name, Value x, double epsilon) {
  std::int64_t width = shape(x).back();
  std::uint32_t weight = parameter(name + ".weight", {width}, "norm.weight", {1, 0});
  std::uint32_t bias = parameter(name + ".bias", {width}, "norm.bias", {});
  double n = product(shape(x));
  charge(weight, 4 * n, 3 * n, 5 * n);
  return apply(op::LayerNorm{epsilon}, {x}, {weight, bias}, shape(x), weight);
}

Value ModelBuilder::linear(const std::string& name, Value x, std::int64_t outputs, double gain, bool bias) {
  std::int64_t inputs = shape(x).back();
  std::uint32_t weight = parameter(name + ".weight", {outputs, inputs}, "linear.weight",
                                   {0, std::sqrt(gain / static_cast<double>(inputs))});
  std::vector<std::uint32_t> parameters{weight};
  if (bias) parameters.push_back(parameter(name + ".bias", {outputs}, "bias", {}));
  Shape to = with_last(shape(x), outputs);
  double own = product(shape(x)) + product(to);
  charge(weight, 2 * static_cast<double>(inputs) * product(to), own, 2 * own);
  return apply(op::Linear{}, {x}, parameters, to, weight);
}

// The product counts with the bias, or with what came before: the embedding's gradient is complete only at
// the end of backward.
Value ModelBuilder::tied_linear(const std::string& weight, const std::string& bias_name, Value x) {
  std::uint32_t table = find(weight);
  std::int64_t outputs = model_.layers[table].shape[0], inputs = shape(x).back();
  std::vector<std::uint32_t> parameters{table};
  std::uint32_t payer = owner(x);
  if (!bias_name.empty()) parameters.push_back(payer = parameter(bias_name, {outputs}, "bias", {}));
  Shape to = with_last(shape(x), outputs);
  double own = product(shape(x)) + product(to);
  charge(payer, 2 * static_cast<double>(inputs) * product(to), own, 2 * own);
  return apply(op::Linear{}, {x}, parameters, to, payer);
}

Value ModelBuilder::embedding(const std::string& name, Value numbers, std::int64_t rows, std::int64_t width,
                              double deviation) {
  parameter(name, {rows, width}, "embedding.weight", {0, deviation});
  return shared_embedding(name, numbers);
}

Value ModelBuilder::shared_embedding(const std::string& weight, Value numbers) {
  std::uint32_t table = find(weight);
  Shape to = shape(numbers);
  to.push_back(model_.layers[table].shape[1]);
  charge(table, 0, 2 * product(to), 4 * product(to));
  return apply(op::Embedding{}, {numbers}, {table}, to, table);
}

Value ModelBuilder::add_rows(const std::string& name, Value x, std::vector<std::int64_t> rows,
                             std::int64_t table_rows, double deviation) {
  std::uint32_t table = parameter(name, {table_rows, shape(x).back()}, "embedding.weight", {0, deviation});
  double n = product(shape(x));
  charge(table, 0, 5 * n, 10 * n);  // looked up, then added
  return apply(op::AddRows{std::move(rows)}, {x}, {table}, shape(x), table);
}

Value ModelBuilder::recurrent(const std::string& name, const std::string& suffix, Value x, std::int64_t units,
                              RecurrentOptions options) {
  std::int64_t inputs = shape(x).back(), length = shape(x)[0];
  std::int64_t gates = (options.cell == op::Recurrent::Cell::lstm ? 4 : 3) * units;
  const char* kind = options.cell == op::Recurrent::Cell::lstm ? "lstm.weight" : "gru.weight";
  // PyTorch draws evenly from ±1/√units, whose variance is a third of that squared.
  Initial initial{0, 1 / std::sqrt(3 * static_cast<double>(units))};
  std::vector<std::uint32_t> parameters;
  std::uint32_t last = kNobody;
  for (int direction = 0; direction < (options.bidirectional ? 2 : 1); ++direction) {
    std::string end = suffix + (direction == 1 ? "_reverse" : "");
    std::uint32_t from_input = parameter(name + ".weight_ih" + end, {gates, inputs}, kind, initial);
    std::uint32_t from_hidden = parameter(name + ".weight_hh" + end, {gates, units}, kind, initial);
    parameters.insert(parameters.end(), {from_input, from_hidden});
    for (const char* of : {".bias_ih", ".bias_hh"})
      parameters.push_back(parameter(name + of + end, {gates}, "bias", {}));
    // Each step of the recurrence waits for the one before; the inputs' product does not.
    auto t = static_cast<double>(length), g = t * static_cast<double>(gates);
    double own = t * static_cast<double>(inputs) + g;
    charge(from_input, 2 * g * static_cast<double>(inputs), own, 2 * own);
    own = t * static_cast<double>(units) + 3 * g;
    charge(from_hidden, 2 * g * static_cast<double>(units), own, 2 * own);
    model_.costs[from_hidden].operations = static_cast<std::uint32_t>(length);
    last = from_hidden;
  }
  Shape to = with_last(shape(x), options.bidirectional ? 2 * units : units);
  return apply(op::Recurrent{options.cell, options.bidirectional}, {x}, parameters, to, last);
}

// Scores written, scaled, put through the softmax and read, each by a kernel of its own; masked and dropped
// out where asked for. All counts with the values.
Value ModelBuilder::attention(Value queries, Value keys, Value values, op::Attention options) {
  std::int64_t width = shape(queries).back();
  if (width % options.heads != 0)
    throw InputError("width must be a multiple of heads, got " + std::to_string(width) + " and " +
                     std::to_string(options.heads));
  auto q = static_cast<double>(shape(queries)[0]), k = static_cast<double>(shape(keys)[0]);
  double scores = static_cast<double>(options.heads) * q * k, w = static_cast<double>(width);
  double moved = (6 + (options.causal ? 2 : 0) + (options.dropout > 0 ? 2 : 0)) * scores + 2 * (q + k) * w;
  charge(owner(values), 4 * q * k * w, moved, 2 * moved);
  return apply(options, {queries, keys, values}, {}, shape(queries), owner(values));
}

Value ModelBuilder::function(op::Function f, Value x) {
  double n = product(shape(x));
  charge(owner(x), 0, 2 * n, 3 * n);
  return apply(f, {x}, {}, shape(x), owner(x));
}

Value ModelBuilder::dropout(Value x, double rate) {
  if (rate == 0) return x;
  double n = product(shape(x));
  charge(owner(x), 0, 2 * n, 3 * n);
  return apply(op::Dropout{rate}, {x}, {}, shape(x), owner(x));
}

Value ModelBuilder::add_waves(Value x) {
  double n = product(shape(x));
  charge(owner(x), 0, 3 * n, 0);
  return apply(op::AddWaves{}, {x}, {}, shape(x), owner(x));
}

// Backward adds the gradients of the two branches where they meet.
Value ModelBuilder::add(Value a, Value b) {
  assert(shape(a) == shape(b));
  double n = product(shape(a));
  charge(owner(a), 0, 3 * n, 3 * n);
  return apply(op::Add{}, {a, b}, {}, shape(a), owner(a));
}

Value ModelBuilder::multiply(Value a, Value b) {
  assert(shape(a) == shape(b));
  double n = product(shape(a));
  charge(owner(a), 0, 3 * n, 5 * n);
  return apply(op::Multiply{}, {a, b}, {}, shape(a), owner(a));
}

Value ModelBuilder::concatenate(Value a, Value b) {
  Shape to = shape(a);
  to[0] += shape(b)[0];
  charge(owner(a), 0, 2 * product(to), 2 * product(to));
  return apply(op::Concatenate{}, {a, b}, {}, to, owner(a));
}

// The places of the maxima are kept.
Value ModelBuilder::max_pool(Value x, op::MaxPool pool) {
  const Shape from = shape(x);
  auto extent = [&](std::int64_t n) { return (n + 2 * pool.padding - pool.kernel) / pool.stride + 1; };
  Shape to{from[0], extent(from[1]), extent(from[2])};
  if (std::min(from[1], from[2]) + 2 * pool.padding < pool.kernel)
    throw InputError("side is too small: nothing is left of the image to pool");
  double moved = product(from) + 2 * product(to);
  charge(owner(x), 0, moved, moved);
  return apply(pool, {x}, {}, to, owner(x));
}

Value ModelBuilder::mean_of_places(Value x) {
  charge(owner(x), 0, product(shape(x)), product(shape(x)));
  return apply(op::MeanOfPlaces{}, {x}, {}, {shape(x)[0]}, owner(x));
}

Value ModelBuilder::places_last(Value x) {
  Shape to{shape(x)[1] * shape(x)[2], shape(x)[0]};
  charge(owner(x), 0, 2 * product(to), 2 * product(to));
  return apply(op::PlacesLast{}, {x}, {}, to, owner(x));
}

Value ModelBuilder::flatten(Value x) { return apply(op::Flatten{}, {x}, {}, {elements(x)}, owner(x)); }

Value ModelBuilder::scale(Value x, double factor) {
  double n = product(shape(x));
  charge(owner(x), 0, 2 * n, 2 * n);
  return apply(op::Scale{factor}, {x}, {}, shape(x), owner(x));
}

Value ModelBuilder::slice(Value x, op::Slice range) {
  Shape to = shape(x);
  assert(range.begin >= 0 && range.begin < range.end && range.end <= to[range.extent]);
  to[range.extent] = (range.end - range.begin - 1) / range.step + 1;
  return apply(range, {x}, {}, to, owner(x));
}

Value ModelBuilder::pad_channels(Value x, std::int64_t before, std::int64_t behind) {
  Shape to = shape(x);
  to[0] += before + behind;
  double moved = product(shape(x)) + product(to);
  charge(owner(x), 0, moved, moved);
  return apply(op::PadChannels{before, behind}, {x}, {}, to, owner(x));
}

// The logarithm of the softmax is written; backward writes its gradient, and reads both for that of the
// logits.
void ModelBuilder::loss(Value logits) {
  double n = product(shape(logits));
  charge(owner(logits), 0, 2 * n, 4 * n);
  std::int64_t classes = shape(logits).back();
  model_.losses.push_back({logits.id, classes, elements(logits) / classes});
}

}  // namespace traincast
