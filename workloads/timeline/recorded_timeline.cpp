#include "workloads/timeline/recorded_timeline.hpp"

#include <algorithm>
#include <cmath>
#include <map>

#include "base/error.hpp"

namespace traincast {

namespace {

double seconds_of(const JsonReader& at) {
  double seconds = at.number();
  if (!(seconds >= 0) || !std::isfinite(seconds))
    at.refuse("must be seconds, zero or more, got " + at.shown());
  return seconds;
}

std::string shown(std::size_t place, const RecordedTimeline::Tensor& tensor) {
  return "tensor " + std::to_string(place) + (tensor.name.empty() ? "" : " (" + tensor.name + ")") + " of " +
         std::to_string(tensor.numel) + " elements";
}

// Layers that are not taken yet, by what they are found by; the last of the model first.
template <class Key>
using Left = std::map<Key, std::vector<std::uint32_t>>;

template <class Key>
bool take(Left<Key>& left, const Key& key, std::uint32_t& layer) {
  auto at = left.find(key);
  if (at == left.end() || at->second.empty()) return false;
  layer = at->second.back();
  at->second.pop_back();
  return true;
}

}  // namespace

Json RecordedTimeline::to_json() const {
  Json json;
  json["format"] = 1;
  json["model"] = model;
  json["device"] = device;
  json["source"] = source;
  json["forward_s"] = forward_s;
  json["optimizer_s"] = optimizer_s;
  json["tensors"] = Json::Array{};
  for (const Tensor& tensor : tensors) {
    Json one;
    if (!tensor.name.empty()) one["name"] = tensor.name;
    one["numel"] = tensor.numel;
    one["ready_s"] = tensor.ready_s;
    json["tensors"].push_back(one);
  }
  return json;
}

RecordedTimeline read_recorded_timeline(const std::string& path) {
  Json json = Json::read_file(path);
  JsonReader root(json, path);
  root.only(
      std::vector<std::string>{"format", "model", "device", "source", "forward_s", "optimizer_s", "tensors"});
  if (root.at("format").integer() != 1)
    root.at("format").refuse("only format 1 is known, got " + root.at("format").shown());
  RecordedTimeline recorded{
      root.at("model").text(),          root.at("device").text(),           root.at("source").text(),
      seconds_of(root.at("forward_s")), seconds_of(root.at("optimizer_s")), {}};
  for (const JsonReader& row : root.at("tensors").items()) {
    row.only(std::vector<std::string>{"name", "numel", "ready_s"});
    RecordedTimeline::Tensor& tensor = recorded.tensors.emplace_back();
    if (auto name = row.find("name")) tensor.name = name->text();
    if (row.at("numel").integer() < 0)
      row.at("numel").refuse("must be zero or more, got " + row.at("numel").shown());
    tensor.numel = static_cast<std::uint64_t>(row.at("numel").integer());
    tensor.ready_s = seconds_of(row.at("ready_s"));
    if (recorded.tensors.size() > 1 && tensor.ready_s < recorded.tensors[recorded.tensors.size() - 2].ready_s)
      row.at("ready_s").refuse(
          "is earlier than that of the tensor before; tensors stand in the order in which "
          "they became ready");
  }
  if (recorded.tensors.empty()) root.at("tensors").refuse("has no tensors");
  return recorded;
}

ComputeTimeline timeline_of(const RecordedTimeline& recorded, const std::vector<TensorInfo>& layers) {
  auto refuse = [&](const std::string& why) {
    throw InputError("the recorded timeline of '" + recorded.model + "' does not fit this model: " + why);
  };
  if (recorded.tensors.size() != layers.size())
    refuse("it has " + std::to_string(recorded.tensors.size()) + " tensors, and the model " +
           std::to_string(layers.size()));
  Left<std::string> by_name;
  Left<std::uint64_t> by_size;
  for (const TensorInfo& layer : layers) {
    by_name[layer.name].push_back(layer.id);
    by_size[layer.numel()].push_back(layer.id);
  }
  bool named = std::ranges::all_of(recorded.tensors, [&](const auto& t) { return by_name.contains(t.name); });
  ComputeTimeline timeline{recorded.forward_s, std::vector<double>(layers.size(), 0.0), recorded.optimizer_s};
  for (std::size_t i = 0; i < recorded.tensors.size(); ++i) {
    const RecordedTimeline::Tensor& tensor = recorded.tensors[i];
    std::uint32_t layer = 0;
    if (named ? !take(by_name, tensor.name, layer) : !take(by_size, tensor.numel, layer))
      refuse(shown(i, tensor) + (named ? " stands twice" : ": the model has no such tensor left"));
    if (layers[layer].numel() != tensor.numel)
      refuse(shown(i, tensor) + ": the model's has " + std::to_string(layers[layer].numel()));
    timeline.ready_s[layer] = tensor.ready_s;
  }
  return timeline;
}

}  // namespace traincast
