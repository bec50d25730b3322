#include "workloads/layer_factors.hpp"

#include <algorithm>
#include <optional>

namespace traincast {

namespace {

template <class... Fs>
struct Overloaded : Fs... {
  using Fs::operator()...;
};
template <class... Fs>
Overloaded(Fs...) -> Overloaded<Fs...>;

std::uint64_t product(std::span<const std::int64_t> shape) {
  std::uint64_t all = 1;
  for (std::int64_t extent : shape) all *= static_cast<std::uint64_t>(extent);
  return all;
}

const Shape& shape_of(const Model& model, ValueId value) {
  return value == 0 ? model.input.shape : model.operations[value - 1].result;
}

// "fc0" of "fc0.weight", "rnn_l0" of "rnn.weight_ih_l0".
std::string layer_name(const std::string& parameter) {
  std::string name = parameter;
  for (const char* part : {".weight_ih", ".weight"})
    if (auto at = name.find(part); at != name.npos) return name.erase(at, std::string_view(part).size());
  return name;
}

struct Reading {
  const Model& model;
  FactorForm form;
  const Operation& operation;
  LayerFactors& layer;

  std::uint64_t extent(std::size_t parameter, std::size_t dimension) const {
    return static_cast<std::uint64_t>(model.layers[operation.parameters[parameter]].shape[dimension]);
  }
  std::size_t matrix(const std::string& what, std::uint64_t rows, std::uint64_t width) {
    layer.matrices.push_back({layer.name + " " + what, rows, width});
    return layer.matrices.size() - 1;
  }
  void bias(std::uint32_t parameter, std::uint64_t row, std::uint64_t column, std::uint64_t count,
            std::size_t deltas) {
    if (form != FactorForm::unfolded)
      layer.products.push_back({parameter, row, column, count, deltas, kNoMatrix});
    else if (row == 0)
      layer.summed.push_back(parameter);
  }
  void weight_and_bias(std::size_t inputs, std::size_t deltas) {
    const std::uint64_t outputs = extent(0, 0);
    layer.products.push_back({operation.parameters[0], 0, 0, outputs, deltas, inputs});
    if (operation.parameters.size() > 1) bias(operation.parameters[1], 0, 0, outputs, deltas);
  }

  void read(const op::Linear&) {
    const std::uint64_t rows = product(operation.result) / extent(0, 0);
    std::size_t inputs = matrix("inputs", rows, extent(0, 1));
    weight_and_bias(inputs, matrix("deltas", rows, extent(0, 0)));
  }
  void read(const op::Convolution&) {
    const std::span<const std::int64_t> to = operation.result, from = shape_of(model, operation.inputs[0]);
    const std::uint64_t places = product(to.subspan(1));
    std::size_t inputs =
        form == FactorForm::unfolded
            ? matrix("inputs", places, product(model.layers[operation.parameters[0]].shape) / extent(0, 0))
            : matrix("inputs", static_cast<std::uint64_t>(from[0]), product(from.subspan(1)));
    layer.matrices[inputs].unfolded = form == FactorForm::unfolded;
    weight_and_bias(inputs, matrix("deltas", places, extent(0, 0)));
  }
  // Gates as PyTorch orders them; a GRU's last gate takes its hidden part after the reset gate, so that part
  // has deltas of its own.
  void read(const op::Recurrent& recurrent) {
    const std::uint64_t length = static_cast<std::uint64_t>(operation.result[0]);
    for (std::size_t first = 0; first < operation.parameters.size(); first += 4) {
      const std::uint64_t gates = extent(first, 0), units = extent(first + 1, 1);
      const std::string end = first > 0 ? " (reverse)" : "";
      const std::size_t inputs = matrix("inputs" + end, length, extent(first, 1));
      const std::size_t hidden = matrix("hidden states" + end, length, units);
      const std::size_t deltas = matrix("deltas" + end, length, gates);
      const std::uint32_t* ids = &operation.parameters[first];
      layer.products.push_back({ids[0], 0, 0, gates, deltas, inputs});
      bias(ids[2], 0, 0, gates, deltas);
      const bool gru = recurrent.cell == op::Recurrent::Cell::gru;
      const std::uint64_t alike = gru ? gates - units : gates;
      layer.products.push_back({ids[1], 0, 0, alike, deltas, hidden});
      bias(ids[3], 0, 0, alike, deltas);
      if (!gru) continue;
      const std::size_t own = matrix("deltas of the hidden part" + end, length, units);
      layer.products.push_back({ids[1], alike, 0, units, own, hidden});
      bias(ids[3], alike, 0, units, own);
    }
  }
  template <class Other>
  void read(const Other&) {
    layer.summed = layer.parameters;
  }
};

bool has_factors(const Operation& operation, std::span<const std::uint32_t> uses) {
  const auto* convolution = std::get_if<op::Convolution>(&operation.kind);
  const bool kind = std::holds_alternative<op::Linear>(operation.kind) ||
                    std::holds_alternative<op::Recurrent>(operation.kind) ||
                    (convolution && convolution->groups == 1 && !convolution->transposed);
  return kind && std::ranges::all_of(operation.parameters, [&](std::uint32_t id) { return uses[id] == 1; });
}

// Whether the operations between two layers can be differentiated from the input of the second: shapes can be
// undone, and a function's derivative follows from its result, of which there is one.
bool input_suffices(std::span<const Operation> between) {
  bool known = true;
  for (std::size_t i = between.size(); i-- > 0;) {
    const op::Kind& kind = between[i].kind;
    if (const auto* function = std::get_if<op::Function>(&kind)) {
      if (!known || *function == op::Function::gelu) return false;
      known = false;
    } else if (std::holds_alternative<op::MeanOfPlaces>(kind)) {
      known = false;
    } else if (std::holds_alternative<op::MaxPool>(kind)) {
      return false;
    }
  }
  return true;
}

std::string_view word_of(const op::Kind& kind) {
  return std::visit(
      Overloaded{
          [](const op::Convolution& o) -> std::string_view {
            return o.transposed ? "a transposed convolution" : "a grouped convolution";
          },
          [](const op::BatchNorm&) -> std::string_view { return "batch normalisation"; },
          [](const op::LayerNorm&) -> std::string_view { return "layer normalisation"; },
          [](const op::Linear&) -> std::string_view { return "a layer whose weights have other uses"; },
          [](const op::Embedding&) -> std::string_view { return "an embedding"; },
          [](const op::AddRows&) -> std::string_view { return "an embedding"; },
          [](const op::Recurrent&) -> std::string_view { return "a recurrent layer"; },
          [](const op::Attention&) -> std::string_view { return "attention"; },
          [](const op::Dropout&) -> std::string_view { return "dropout"; },
          [](const op::Add&) -> std::string_view { return "a sum of two branches"; },
          [](const op::Multiply&) -> std::string_view { return "a product of two branches"; },
          [](const op::Concatenate&) -> std::string_view { return "branches that are put together"; },
          [](const auto&) -> std::string_view { return "an operation of another kind"; }},
      kind);
}

bool can_be_differentiated_elsewhere(const op::Kind& kind) {
  return std::holds_alternative<op::Function>(kind) || std::holds_alternative<op::MaxPool>(kind) ||
         std::holds_alternative<op::MeanOfPlaces>(kind) || std::holds_alternative<op::PlacesLast>(kind) ||
         std::holds_alternative<op::Flatten>(kind) || std::holds_alternative<op::Scale>(kind);
}

bool drops(const op::Kind& kind) {
  if (const auto* dropout = std::get_if<op::Dropout>(&kind)) return dropout->rate > 0;
  const auto* attention = std::get_if<op::Attention>(&kind);
  return attention && attention->dropout > 0;
}

std::string no_chain(const Model& model) {
  const std::string needs =
      "inner deltas are recomputed along one chain of linear layers and convolutions "
      "with functions, pooling and changes of shape between them, and this model has ";
  std::vector<std::uint32_t> uses(model.layers.size(), 0);
  for (const Operation& operation : model.operations)
    for (std::uint32_t id : operation.parameters) ++uses[id];
  for (std::size_t i = 0; i < model.operations.size(); ++i) {
    const Operation& operation = model.operations[i];
    const bool layer = has_factors(operation, uses) && !std::holds_alternative<op::Recurrent>(operation.kind);
    if (!layer && !can_be_differentiated_elsewhere(operation.kind))
      return needs + std::string(word_of(operation.kind));
    if (operation.inputs != std::vector<ValueId>{static_cast<ValueId>(i)}) return needs + "branches";
  }
  if (model.losses.size() != 1 || model.operations.empty() || model.operations.back().parameters.empty() ||
      model.losses[0].logits != model.operations.size())
    return "the delta of the last layer's output is all that is sent of deltas, and the loss of this model "
           "does not follow right behind it";
  return {};
}

}  // namespace

std::uint64_t LayerFactors::sent() const {
  std::uint64_t all = 0;
  for (const FactorMatrix& matrix : matrices)
    if (matrix.sent) all += matrix.numbers();
  return all;
}

std::vector<LayerFactors> layer_factors(const Model& model, FactorForm form) {
  std::vector<std::uint32_t> uses(model.layers.size(), 0);
  for (const Operation& operation : model.operations)
    for (std::uint32_t id : operation.parameters) ++uses[id];
  std::vector<bool> owned(model.layers.size(), false);
  std::vector<LayerFactors> layers;
  for (std::size_t i = 0; i < model.operations.size(); ++i) {
    const Operation& operation = model.operations[i];
    LayerFactors layer;
    layer.operation = i;
    for (std::uint32_t id : operation.parameters)
      if (!owned[id]) {
        layer.parameters.push_back(id);
        owned[id] = true;
      }
    if (layer.parameters.empty()) continue;
    layer.name = layer_name(model.layers[layer.parameters.front()].name);
    if (has_factors(operation, uses))
      std::visit(
          [&](const auto& kind) {
            Reading{model, form, operation, layer}.read(kind);
          },
          operation.kind);
    else
      layer.summed = layer.parameters;
    layers.push_back(std::move(layer));
  }
  if (form != FactorForm::last_delta) return layers;
  for (std::size_t l = 0; l + 1 < layers.size(); ++l) {
    for (const FactorProduct& product : layers[l].products) layers[l].matrices[product.deltas].sent = false;
    const std::size_t from = layers[l].operation + 1;
    layers[l].again =
        !input_suffices(std::span(model.operations).subspan(from, layers[l + 1].operation - from));
  }
  return layers;
}

std::uint64_t factor_numbers(std::span<const LayerFactors> layers, std::uint64_t samples) {
  std::uint64_t all = 0;
  for (const LayerFactors& layer : layers) all += layer.sent() * samples;
  return all;
}

std::string refusal_of_factors(const Model& model, FactorForm form) {
  if (form == FactorForm::unfolded) return {};
  for (const Operation& operation : model.operations)
    if (std::holds_alternative<op::BatchNorm>(operation.kind))
      return "its gradient is that of all mini-batches pooled, and batch normalisation takes the statistics "
             "of each learner's own";
  if (form == FactorForm::both) return {};
  for (const Operation& operation : model.operations)
    if (drops(operation.kind))
      return "inner deltas are recomputed, and the masks of dropout are not gathered: set dropout to 0";
  return no_chain(model);
}

}  // namespace traincast
