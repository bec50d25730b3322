// The workloads by name, with the layers that each has: capture builds its parameters from these tables, so
// a trace holds exactly what they say.
#include "workloads/data/procedural_images.hpp"
#include "workloads/workload.hpp"

namespace traincast {

namespace {

class Layers {
 public:
  void add(std::string name, std::vector<std::int64_t> shape, std::string kind) {
    all_.push_back(
        {static_cast<std::uint32_t>(all_.size()), std::move(name), std::move(shape), std::move(kind)});
  }
  void linear(const std::string& name, std::int64_t in, std::int64_t out) {
    add(name + ".weight", {out, in}, "linear.weight");
    add(name + ".bias", {out}, "bias");
  }
  /// A convolution followed by batch normalisation, or with a bias of its own.
  void convolution(const std::string& name, std::int64_t in, std::int64_t out, std::int64_t kernel,
                   bool batch_norm) {
    add(name + ".weight", {out, in, kernel, kernel}, "conv.weight");
    if (batch_norm) {
      add(name + "_norm.weight", {out}, "norm.weight");
      add(name + "_norm.bias", {out}, "norm.bias");
    } else {
      add(name + ".bias", {out}, "bias");
    }
  }
  std::vector<TensorInfo> take() { return std::move(all_); }

 private:
  std::vector<TensorInfo> all_;
};

std::vector<TensorInfo> mlp_layers(const Parameters& p) {
  Layers layers;
  std::int64_t in = kImageSize;
  int number = 0;
  for (std::int64_t out : p.counts("hidden")) {
    layers.linear("fc" + std::to_string(number++), in, out);
    in = out;
  }
  layers.linear("fc" + std::to_string(number), in, kImageClasses);
  return layers.take();
}

std::vector<TensorInfo> convnet_layers(const Parameters& p) {
  Layers layers;
  bool norm = p.flag("batch_norm");
  std::int64_t in = p.count("width");
  layers.convolution("stem", kImageChannels, in, 3, norm);
  for (int stage = 0; stage < 3; ++stage) {
    std::int64_t out = p.count("width") << stage;
    for (std::int64_t block = 0; block < p.count("blocks"); ++block) {
      std::string name = "stage" + std::to_string(stage) + ".block" + std::to_string(block);
      layers.convolution(name + ".conv0", in, out, 3, norm);
      layers.convolution(name + ".conv1", out, out, 3, norm);
      if (in != out) layers.convolution(name + ".shortcut", in, out, 1, norm);
      in = out;
    }
  }
  layers.linear("fc", in, kImageClasses);
  return layers.take();
}

constexpr Parameter kBatch = {"batch", Unit::count, "[1, 65536]", "8", "samples in a learner's mini-batch"};
constexpr Parameter kSamples = {"samples_per_learner", Unit::count, "[1, 1000000]", "512",
                                "samples in a learner's shard of the data"};
constexpr Parameter kMomentum = {"momentum", Unit::ratio, "[0, 1)", "0.9",
                                 "share of the last update kept in the next"};

constexpr Parameter kMlpParameters[] = {
    {"hidden", Unit::counts, "[1, 65536]", "[128, 64]", "units in each hidden layer"}, kBatch,    kSamples,
    {"learning_rate", Unit::ratio, "(0, 100]", "0.02", "of SGD with momentum"},        kMomentum,
};

constexpr Parameter kConvnetParameters[] = {
    {"width", Unit::count, "[1, 1024]", "16", "channels of the first stage; doubled in the second and third"},
    {"blocks", Unit::count, "[1, 64]", "1", "residual blocks in each of the three stages"},
    {"batch_norm", Unit::flag, "", "true", "normalise after each convolution; otherwise each has a bias"},
    kBatch,
    kSamples,
    {"learning_rate", Unit::ratio, "(0, 100]", "0.05", "of SGD with momentum"},
    kMomentum,
};

constexpr Entry<WorkloadLayers> kWorkloads[] = {
    {"mlp", "fully connected layers with ReLU on procedural 32x32x3 images in 10 classes",
     "LeCun et al. 1998, section II.C; images of our own making", kMlpParameters, mlp_layers},
    {"convnet", "residual convolutional network on procedural 32x32x3 images in 10 classes",
     "He et al. 2016, section 4.2, with projections (option B); images of our own making", kConvnetParameters,
     convnet_layers},
};

constexpr std::string_view kLater = "it comes with a later version; this one trains mlp and convnet";
constexpr Planned kPlanned[] = {
    {"resnet18", kLater}, {"resnet50", kLater}, {"vgg16", kLater}, {"mobilenetv2", kLater}, {"lstm", kLater},
    {"gpt", kLater},      {"bert", kLater},     {"unet", kLater},  {"ncf", kLater},
};

}  // namespace

const Catalog<WorkloadLayers>& workload_catalog() {
  static constexpr Catalog<WorkloadLayers> catalog("workloads", "workload", kWorkloads, kPlanned);
  return catalog;
}

Parameters read_workload(const JsonReader& at) {
  const auto& entry = workload_catalog().find(at);
  Parameters parameters = read_parameters(at, entry.name, entry.parameters);
  if (parameters.count("batch") > parameters.count("samples_per_learner"))
    at.refuse("batch must not exceed samples_per_learner, got " + std::to_string(parameters.count("batch")) +
              " and " + std::to_string(parameters.count("samples_per_learner")));
  return parameters;
}

}  // namespace traincast
