// A model, defined once and without a word of LibTorch: which operations it is made of, on which parameters.
// Layer tables, costs and shapes are read off it, and capture carries it out.
#pragma once

#include <cstdint>
#include <variant>
#include <vector>

#include "base/exchange.hpp"
#include "workloads/timeline/layer_cost.hpp"

namespace traincast {

using Shape = std::vector<std::int64_t>;  ///< of one sample: the mini-batch comes before it
using ValueId = std::uint32_t;

/// Inputs are values, then parameters, in the order that each operation tells.
namespace op {

/// Of [channels, rows, columns]; weight, and bias where there is one. A transposed one enlarges by its
/// stride.
struct Convolution {
  std::int64_t stride = 1, padding = 0, groups = 1;
  bool transposed = false;
};
/// By the statistics of the mini-batch; scale, shift.
struct BatchNorm {};
/// Over the last extent; scale, shift.
struct LayerNorm {
  double epsilon = 1e-5;
};
/// On the last extent; weight [outputs, inputs], and bias where there is one.
struct Linear {};
/// Of numbers [length], or of the rows that `rows` names, the same for every sample, added to a value.
struct Embedding {};
struct AddRows {
  std::vector<std::int64_t> rows;
};
/// Over [length, features]; per direction: input weight, hidden weight, and their biases.
struct Recurrent {
  enum class Cell { lstm, gru } cell = Cell::lstm;
  bool bidirectional = false;
};
/// softmax(QKᵀ/√d)V by heads; queries, keys and values [length, width].
struct Attention {
  std::int64_t heads = 1;
  bool causal = false;
  double dropout = 0;
};
enum class Function { relu, relu6, gelu, tanh };
struct Dropout {
  double rate = 0;
};
/// Sines and cosines of the position (Vaswani et al. 2017, section 3.5), added.
struct AddWaves {};
struct Add {};
struct Multiply {};
struct Concatenate {};  ///< along the first extent of [channels, rows, columns], the only one of [features]
struct MaxPool {
  std::int64_t kernel = 2, stride = 2, padding = 0;
};
struct MeanOfPlaces {};  ///< [channels, rows, columns] → [channels]
struct PlacesLast {};    ///< [channels, rows, columns] → [rows · columns, channels]
struct Flatten {};
struct Scale {
  double factor = 1;
};
/// Of one extent: from `begin` to before `end`, every `step`-th.
struct Slice {
  std::size_t extent = 0;
  std::int64_t begin = 0, end = 0, step = 1;
};
/// Zeros before and behind the channels.
struct PadChannels {
  std::int64_t before = 0, behind = 0;
};

using Kind = std::variant<Convolution, BatchNorm, LayerNorm, Linear, Embedding, AddRows, Recurrent, Attention,
                          Function, Dropout, AddWaves, Add, Multiply, Concatenate, MaxPool, MeanOfPlaces,
                          PlacesLast, Flatten, Scale, Slice, PadChannels>;

}  // namespace op

struct Operation {
  op::Kind kind;
  std::vector<ValueId> inputs;
  std::vector<std::uint32_t> parameters;
  Shape result;
};

/// What a model takes: features, or numbers below `ranges` (one for all places, or one for each).
struct ModelInput {
  Shape shape;
  std::vector<std::int64_t> ranges;  ///< empty: features
};

/// Cross-entropy of logits whose last extent is `classes`, averaged over their rows; with one class, of a
/// score against a label of 0 or 1. A row whose label is kNoLabel does not count.
struct Loss {
  ValueId logits = 0;
  std::int64_t classes = 0;
  std::int64_t rows = 1;  ///< labels of a sample
};
inline constexpr std::int64_t kNoLabel = -100;

/// Initial values: normal, or the mean alone.
struct Initial {
  double mean = 0, deviation = 0;
};

struct Model {
  ModelInput input;
  std::vector<TensorInfo> layers;
  std::vector<LayerCost> costs;
  std::vector<Initial> initial;
  std::vector<Operation> operations;  ///< the first makes value 1; value 0 is the input
  std::vector<Loss> losses;           ///< summed; their labels follow one another

  std::uint64_t parameters() const;
  std::int64_t labels() const;  ///< of a sample
};

}  // namespace traincast
