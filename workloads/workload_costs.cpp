// What the layers of the workloads cost, as workloads/models/*.json count it: see scripts/make-layer-tables.
#include "workloads/data/procedural_images.hpp"
#include "workloads/workload.hpp"

namespace traincast {

namespace {

constexpr double kWord = 4;

std::vector<LayerCost> mlp_costs(const std::vector<TensorInfo>& layers) {
  std::vector<LayerCost> costs;
  for (const TensorInfo& layer : layers) {
    LayerCost& cost = costs.emplace_back();
    if (layer.kind != "linear.weight") continue;
    auto out = static_cast<double>(layer.shape[0]), in = static_cast<double>(layer.shape[1]);
    bool relu = layer.id + 2 < layers.size();
    cost = {2 * in * out, kWord * (in + out + (relu ? 2 * out : 0)),
            kWord * (2 * (in + out) + (relu ? 3 * out : 0)), 1};
  }
  return costs;
}

// The side halves where the channels double; a shortcut's input is its block's.
std::vector<LayerCost> convnet_costs(const std::vector<TensorInfo>& layers) {
  std::vector<LayerCost> costs;
  double side = kImageSide, elements = 0;
  std::int64_t stage_width = layers.front().shape[0];
  for (std::size_t i = 0; i < layers.size(); ++i) {
    const TensorInfo& layer = layers[i];
    LayerCost& cost = costs.emplace_back();
    auto out = static_cast<double>(layer.shape[0]);
    bool inner = layer.name.find("conv1") != std::string::npos;
    bool shortcut = layer.name.find("shortcut") != std::string::npos;
    // What follows the layer's normalisation or bias: ReLU, after the addition at the end of a block.
    double after = shortcut ? 0 : inner ? 5 : 2, after_backward = shortcut ? 0 : inner ? 6 : 3;
    if (layer.kind == "conv.weight") {
      auto in = static_cast<double>(layer.shape[1]), kernel = static_cast<double>(layer.shape[2]);
      bool narrows = layer.shape[0] != stage_width;
      double side_in = shortcut ? 2 * side : side;
      if (narrows) side /= 2, stage_width = layer.shape[0];
      elements = out * side * side;
      double own = in * side_in * side_in + elements;
      bool bias = layers[i + 1].kind == "bias";
      cost = {2 * kernel * kernel * in * elements, kWord * (own + (bias ? after * elements : 0)),
              kWord * (2 * own + (bias ? after_backward * elements : 0)), 1};
    } else if (layer.kind == "norm.weight") {
      cost = {4 * elements, kWord * (3 + after) * elements, kWord * (5 + after_backward) * elements, 1};
    } else if (layer.kind == "linear.weight") {  // behind the average over places
      auto in = static_cast<double>(layer.shape[1]);
      cost = {2 * in * out, kWord * (elements + in + out), kWord * (elements + 2 * (in + out)), 1};
    }
  }
  return costs;
}

}  // namespace

std::vector<LayerCost> workload_costs(std::string_view name, const std::vector<TensorInfo>& layers) {
  return name == "mlp" ? mlp_costs(layers) : convnet_costs(layers);
}

}  // namespace traincast
