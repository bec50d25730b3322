#include "workloads/layer_table.hpp"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <set>

#include "base/names.hpp"
#include "workloads/workload.hpp"

namespace traincast {

namespace {

double amount(const JsonReader& at) {
  double value = at.number();
  if (!(value >= 0) || !std::isfinite(value)) at.refuse("must be zero or more, got " + at.shown());
  return value;
}

TensorInfo read_tensor(const JsonReader& row, std::size_t id) {
  TensorInfo tensor{static_cast<std::uint32_t>(id), row.at("name").text(), {}, row.at("kind").text()};
  for (const JsonReader& extent : row.at("shape").items()) {
    if (extent.integer() < 1) extent.refuse("must be 1 or more, got " + extent.shown());
    tensor.shape.push_back(extent.integer());
  }
  return tensor;
}

}  // namespace

LayerTable read_layer_table(const JsonReader& root) {
  root.only(std::vector<std::string>{"format", "name", "sample", "source", "parameters", "layers"});
  if (root.at("format").integer() != 1)
    root.at("format").refuse("only format 1 is known, got " + root.at("format").shown());
  LayerTable table{root.at("name").text(), root.at("sample").text(), root.at("source").text(), {}, {}};
  std::set<std::string> seen;
  std::uint64_t parameters = 0;
  for (const JsonReader& row : root.at("layers").items()) {
    row.only(
        std::vector<std::string>{"name", "shape", "kind", "flops", "bytes", "backward_bytes", "operations"});
    table.layers.push_back(read_tensor(row, table.layers.size()));
    if (!seen.insert(table.layers.back().name).second)
      row.at("name").refuse("stands twice: " + row.at("name").shown());
    parameters += table.layers.back().numel();
    LayerCost cost{amount(row.at("flops")), amount(row.at("bytes")), amount(row.at("backward_bytes")), 1};
    if (auto operations = row.find("operations")) {
      if (operations->integer() < 1 || operations->integer() > 1000000)
        operations->refuse("must lie in [1, 1000000], got " + operations->shown());
      cost.operations = static_cast<std::uint32_t>(operations->integer());
    }
    table.costs.push_back(cost);
  }
  if (table.layers.empty()) root.at("layers").refuse("has no tensors");
  if (root.at("parameters").integer() != static_cast<std::int64_t>(parameters))
    root.at("parameters")
        .refuse("is " + root.at("parameters").shown() + ", and the shapes have " +
                std::to_string(parameters));
  return table;
}

namespace {

std::string sample_of(const ModelInput& input) {
  auto number = [&](std::size_t i) { return std::to_string(input.shape[i]); };
  if (input.shape.size() == 3) return "an image of " + number(1) + "x" + number(2) + "x" + number(0);
  if (input.shape.size() == 2) return number(0) + " frames of " + number(1) + " features";
  if (input.ranges.size() > 1) return "a row of " + number(0) + " numbers";
  return "a sequence of " + number(0) + " tokens";
}

LayerTable table_of(const std::string& name, const std::string& workload) {
  Json json = Json::parse(workload, name);
  JsonReader reader(json, name);
  Model model = workload_model(reader);
  return {name, sample_of(model.input), std::string(workload_catalog().find(reader).source),
          std::move(model.layers), std::move(model.costs)};
}

// Kernels by height, width, inputs and outputs; dense layers by inputs and outputs.
void keep_as_tensorflow(LayerTable& table) {
  table.source += "; shapes as TensorFlow keeps them, kernels by height, width, inputs and outputs";
  for (TensorInfo& layer : table.layers) {
    Shape& shape = layer.shape;
    std::reverse(shape.begin(), shape.begin() + std::min<std::ptrdiff_t>(2, std::ssize(shape)));
    std::rotate(shape.begin(), shape.begin() + std::min<std::ptrdiff_t>(2, std::ssize(shape)), shape.end());
  }
}

void without_heads(LayerTable& table) {
  auto head = std::ranges::find_if(table.layers, [](auto& l) { return l.name.starts_with("cls."); });
  table.costs.resize(static_cast<std::size_t>(head - table.layers.begin()));
  table.layers.erase(head, table.layers.end());
}

struct Variant {
  const char* name;
  const char* workload;
  void (*change)(LayerTable&);
};
constexpr Variant kVariants[] = {
    {"bert_base", R"("bert")", without_heads},
    {"lstm_wikitext2",
     R"({"name": "lstm_words", "vocabulary": 28869, "layers": 3, "length": 30, "tied": true})",
     [](LayerTable& t) { t.source = "PowerSGD's language model (Vogels et al. 2019); " + t.source; }},
    {"resnet50_tensorflow", R"("resnet50")", keep_as_tensorflow},
};

}  // namespace

std::vector<std::string> layer_table_names() {
  std::vector<std::string> names = workload_catalog().names();
  for (const Variant& variant : kVariants) names.emplace_back(variant.name);
  return names;
}

void refuse_unknown_table(const JsonReader& at) {
  const std::string name = at.text();
  const std::vector<std::string> names = layer_table_names();
  if (!name.ends_with(".json") && std::find(names.begin(), names.end(), name) == names.end())
    at.refuse("unknown model '" + name + "'" + known_names(name, names) +
              ", or the file of a layer table, *.json");
}

LayerTable find_layer_table(const JsonReader& at) {
  refuse_unknown_table(at);
  std::string name = at.text();
  if (name.ends_with(".json")) {
    std::string path = (std::filesystem::path(at.file()).parent_path() / name).string();
    Json json = Json::read_file(path);
    return read_layer_table(JsonReader(json, path));
  }
  for (const Variant& variant : kVariants)
    if (name == variant.name) {
      LayerTable table = table_of(name, variant.workload);
      variant.change(table);
      return table;
    }
  return table_of(name, Json(name).dump());
}

}  // namespace traincast
