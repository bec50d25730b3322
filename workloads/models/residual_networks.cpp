// Residual networks: He et al., "Deep residual learning for image recognition", CVPR 2016.
#include "base/error.hpp"
#include "workloads/models/model_builder.hpp"
#include "workloads/models/model_rows.hpp"

namespace traincast {

namespace {

Value images(ModelBuilder& net, const Parameters& p) {
  std::int64_t side = p.count("side");
  return net.features({p.count("channels"), side, side});
}

// Without normalisation the end of a residual branch begins small: the sum would grow with each block.
Model convnet(const Parameters& p) {
  ModelBuilder net;
  bool norm = p.flag("batch_norm");
  auto convolution = [&](const std::string& name, Value x, std::int64_t outputs, std::int64_t kernel,
                         std::int64_t stride, double gain) {
    x = net.convolution(name, x, outputs, kernel, {.stride = stride, .bias = !norm, .gain = gain});
    return norm ? net.batch_norm(name + "_norm", x) : x;
  };
  std::int64_t width = p.count("width");
  Value x = net.relu(convolution("stem", images(net, p), width, 3, 1, 2));
  for (int stage = 0; stage < 3; ++stage, width *= 2)
    for (std::int64_t block = 0; block < p.count("blocks"); ++block) {
      std::string name = "stage" + std::to_string(stage) + ".block" + std::to_string(block);
      bool narrows = stage > 0 && block == 0;
      std::int64_t stride = narrows ? 2 : 1;
      Value inner = net.relu(convolution(name + ".conv0", x, width, 3, stride, 2));
      inner = convolution(name + ".conv1", inner, width, 3, 1, norm ? 2 : 0.125);
      Value past = narrows ? convolution(name + ".shortcut", x, width, 1, stride, 2) : x;
      x = net.relu(net.add(inner, past));
    }
  net.loss(net.linear("fc", net.mean_of_places(x), p.count("classes")));
  return net.take();
}

struct Residual {
  std::vector<std::int64_t> blocks;
  bool bottleneck = false, cifar = false;
};

Value normalised(ModelBuilder& net, const std::string& convolution, const std::string& norm, Value x,
                 std::int64_t outputs, std::int64_t kernel, std::int64_t stride) {
  return net.batch_norm(norm, net.convolution(convolution, x, outputs, kernel, {.stride = stride}));
}

// Tensors as torchvision names them; those for CIFAR as kuangliu's pytorch-cifar does. The stride of a
// bottleneck is that of its 3 × 3 convolution, as in torchvision.
Model residual(const Parameters& p, const Residual& form) {
  ModelBuilder net;
  std::int64_t width = p.count("width");
  Value x = images(net, p);
  x = net.relu(normalised(net, "conv1", "bn1", x, width, form.cifar ? 3 : 7, form.cifar ? 1 : 2));
  if (!form.cifar) x = net.max_pool(x, {.kernel = 3, .stride = 2, .padding = 1});
  for (std::size_t stage = 1; stage <= form.blocks.size(); ++stage, width *= 2) {
    std::int64_t outputs = width * (form.bottleneck ? 4 : 1);
    for (std::int64_t block = 0; block < form.blocks[stage - 1]; ++block) {
      std::string at = "layer" + std::to_string(stage) + "." + std::to_string(block) + ".";
      std::int64_t stride = block == 0 && stage > 1 ? 2 : 1;
      auto part = [&](int number, Value from, std::int64_t channels, std::int64_t kernel, std::int64_t step) {
        std::string n = std::to_string(number);
        return normalised(net, at + "conv" + n, at + "bn" + n, from, channels, kernel, step);
      };
      Value y;
      if (form.bottleneck) {
        y = net.relu(part(1, x, width, 1, 1));
        y = net.relu(part(2, y, width, 3, stride));
        y = part(3, y, outputs, 1, 1);
      } else {
        y = net.relu(part(1, x, width, 3, stride));
        y = part(2, y, outputs, 3, 1);
      }
      if (net.shape(x) != net.shape(y)) {
        std::string shortcut = at + (form.cifar ? "shortcut" : "downsample");
        x = normalised(net, shortcut + ".0", shortcut + ".1", x, outputs, 1, stride);
      }
      x = net.relu(net.add(y, x));
    }
  }
  net.loss(net.linear(form.cifar ? "linear" : "fc", net.mean_of_places(x), p.count("classes")));
  return net.take();
}

// Section 4.2: 6n + 2 layers of 16, 32 and 64 channels; shortcuts without parameters (option A): every second
// place, and zeros for the channels that come.
Model resnet20(const Parameters& p) {
  std::int64_t depth = p.count("depth");
  if (depth % 6 != 2)
    throw InputError("depth must be 6n + 2, as 20, 32, 44, 56 or 110; got " + std::to_string(depth));
  ModelBuilder net;
  std::int64_t width = p.count("width");
  Value x = net.relu(normalised(net, "conv1", "bn1", images(net, p), width, 3, 1));
  for (int stage = 1; stage <= 3; ++stage, width *= 2)
    for (std::int64_t block = 0; block < (depth - 2) / 6; ++block) {
      std::string at = "layer" + std::to_string(stage) + "." + std::to_string(block) + ".";
      std::int64_t stride = block == 0 && stage > 1 ? 2 : 1;
      Value y = net.relu(normalised(net, at + "conv1", at + "bn1", x, width, 3, stride));
      y = normalised(net, at + "conv2", at + "bn2", y, width, 3, 1);
      if (stride == 2) {
        for (std::size_t extent : {1, 2}) x = net.slice(x, {extent, 0, net.shape(x)[extent], 2});
        x = net.pad_channels(x, width / 4, width / 2 - width / 4);
      }
      x = net.relu(net.add(y, x));
    }
  net.loss(net.linear("linear", net.mean_of_places(x), p.count("classes")));
  return net.take();
}

constexpr std::array<Parameter, 4> kImages{
    {{"width", Unit::count, "[1, 1024]", "64", "channels of the first stage, doubled in each that follows"},
     kSide,
     kChannels,
     kClasses}};

constexpr auto kConvnet = trained(
    std::array<Parameter, 6>{
        {{"width", Unit::count, "[1, 1024]", "16",
          "channels of the first stage; doubled in the second and third"},
         {"blocks", Unit::count, "[1, 64]", "1", "residual blocks in each of the three stages"},
         {"batch_norm", Unit::flag, "", "true",
          "normalise after each convolution; otherwise each has a bias"},
         kSide,
         kChannels,
         kClasses}},
    {{"learning_rate", "0.05"}});

constexpr auto kResNet20 =
    trained(std::array<Parameter, 5>{{{"width", Unit::count, "[1, 1024]", "16",
                                       "channels of the first stage, doubled in both that follow"},
                                      {"depth", Unit::count, "[8, 1202]", "20", "layers: 6n + 2"},
                                      kSide,
                                      kChannels,
                                      kClasses}},
            {{"learning_rate", "0.1"}, {"batch", "32"}});
constexpr auto kCifar = trained(kImages, {{"learning_rate", "0.1"}, {"batch", "32"}});
constexpr auto kImageNet =
    trained(kImages, {{"side", "224"}, {"classes", "1000"}, {"learning_rate", "0.1"}, {"batch", "32"}});

}  // namespace

const Entry<MakeModel> kConvnetModel{"convnet", "small residual convolutional network, on images",
                                     "He et al. 2016, section 4.2, with projections (option B)", kConvnet,
                                     convnet};
const Entry<MakeModel> kResNet20Model{"resnet20", "residual network of 20 layers (or 6n + 2) for CIFAR",
                                      "He et al. 2016, section 4.2, shortcuts without parameters (option A)",
                                      kResNet20, resnet20};
const Entry<MakeModel> kResNet18CifarModel{
    "resnet18_cifar", "residual network of 18 layers for CIFAR",
    "He et al. 2016 with a 3x3 stem of stride 1 and no pooling, as kuangliu's pytorch-cifar", kCifar,
    [](const Parameters& p) {
      return residual(p, {{2, 2, 2, 2}, false, true});
    }};
const Entry<MakeModel> kResNet18Model{"resnet18", "residual network of 18 layers for ImageNet",
                                      "He et al. 2016, table 1; tensors as torchvision names them", kImageNet,
                                      [](const Parameters& p) {
                                        return residual(p, {{2, 2, 2, 2}, false, false});
                                      }};
const Entry<MakeModel> kResNet50Model{"resnet50", "residual network of 50 layers for ImageNet",
                                      "He et al. 2016, table 1; tensors as torchvision names them", kImageNet,
                                      [](const Parameters& p) {
                                        return residual(p, {{3, 4, 6, 3}, true, false});
                                      }};
const Entry<MakeModel> kResNet101Model{"resnet101", "residual network of 101 layers for ImageNet",
                                       "He et al. 2016, table 1; tensors as torchvision names them",
                                       kImageNet, [](const Parameters& p) {
                                         return residual(p, {{3, 4, 23, 3}, true, false});
                                       }};

}  // namespace traincast
