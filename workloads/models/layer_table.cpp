#include "workloads/models/layer_table.hpp"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <set>

#include "base/names.hpp"
#include "workloads/models/built_in.hpp"

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

std::vector<std::string> layer_table_names() {
  std::vector<std::string> names;
  for (const BuiltInTable& table : built_in_tables()) names.emplace_back(table.name);
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
  auto table = std::find_if(built_in_tables().begin(), built_in_tables().end(),
                            [&](const BuiltInTable& known) { return known.name == name; });
  Json json = Json::parse(table->text, name);
  return read_layer_table(JsonReader(json, name));
}

}  // namespace traincast
