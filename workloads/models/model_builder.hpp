// Writes a Model operation by operation, and counts what each costs. Costs of what has no parameters belong
// to the layer that made its (first) input.
#pragma once

#include <string>

#include "workloads/models/model.hpp"

namespace traincast {

/// A value of the model in the making.
struct Value {
  ValueId id = 0;
};

struct ConvolutionOptions {
  std::int64_t stride = 1, groups = 1;
  bool bias = false;
  double gain = 2;  ///< variance of the initial weights times the inputs of an output (He et al. 2015: 2)
};
struct RecurrentOptions {
  op::Recurrent::Cell cell = op::Recurrent::Cell::lstm;
  bool bidirectional = false;
};

class ModelBuilder {
 public:
  Value features(Shape shape);
  /// Numbers below `range`, or each below its own.
  Value numbers(std::int64_t length, std::vector<std::int64_t> ranges);

  /// Padded so that stride 1 keeps rows and columns.
  Value convolution(const std::string& name, Value x, std::int64_t outputs, std::int64_t kernel,
                    ConvolutionOptions options = {});
  /// Kernel and stride 2, with bias.
  Value enlarge(const std::string& name, Value x, std::int64_t outputs);
  Value batch_norm(const std::string& name, Value x);
  Value layer_norm(const std::string& name, Value x, double epsilon = 1e-5);
  Value linear(const std::string& name, Value x, std::int64_t outputs, double gain = 1, bool bias = true);
  /// With the weight of an embedding of this name, and a bias of its own where `bias_name` is not empty.
  Value tied_linear(const std::string& weight, const std::string& bias_name, Value x);
  Value embedding(const std::string& name, Value numbers, std::int64_t rows, std::int64_t width,
                  double deviation);
  /// With the table of an embedding that is already there.
  Value shared_embedding(const std::string& weight, Value numbers);
  Value add_rows(const std::string& name, Value x, std::vector<std::int64_t> rows, std::int64_t table_rows,
                 double deviation);
  /// `suffix` as PyTorch's "_l0".
  Value recurrent(const std::string& name, const std::string& suffix, Value x, std::int64_t units,
                  RecurrentOptions options = {});
  Value attention(Value queries, Value keys, Value values, op::Attention options);

  Value function(op::Function f, Value x);
  Value relu(Value x) { return function(op::Function::relu, x); }
  Value dropout(Value x, double rate);  ///< x itself at rate 0
  Value add_waves(Value x);
  Value add(Value a, Value b);
  Value multiply(Value a, Value b);
  Value concatenate(Value a, Value b);
  Value max_pool(Value x, op::MaxPool pool = {});
  Value mean_of_places(Value x);
  Value places_last(Value x);
  Value flatten(Value x);
  Value scale(Value x, double factor);
  Value slice(Value x, op::Slice range);
  Value pad_channels(Value x, std::int64_t before, std::int64_t behind);

  void loss(Value logits);  ///< over the last extent
  const Shape& shape(Value x) const;
  std::int64_t elements(Value x) const;
  /// Changes how the parameter of this name begins.
  void begin_with(const std::string& name, Initial initial);
  Model take() { return std::move(model_); }

 private:
  static constexpr std::uint32_t kNobody = UINT32_MAX;
  std::uint32_t parameter(const std::string& name, Shape shape, const char* kind, Initial initial);
  std::uint32_t find(const std::string& name) const;
  Value apply(op::Kind kind, std::vector<Value> inputs, std::vector<std::uint32_t> parameters, Shape result,
              std::uint32_t owner);
  std::uint32_t owner(Value x) const { return owners_[x.id]; }
  void charge(std::uint32_t layer, double flops, double elements, double backward_elements);

  Model model_;
  std::vector<Shape> shapes_;
  std::vector<std::uint32_t> owners_;
};

}  // namespace traincast
