// Inverted residuals: Sandler et al., "MobileNetV2: inverted residuals and linear bottlenecks", CVPR 2018.
#include <algorithm>

#include "workloads/models/model_builder.hpp"
#include "workloads/models/model_rows.hpp"

namespace traincast {

namespace {

struct Stage {
  std::int64_t expansion, channels, blocks, stride;
};
// Table 2.
constexpr Stage kStages[] = {{1, 16, 1, 1}, {6, 24, 2, 2},  {6, 32, 3, 2}, {6, 64, 4, 2},
                             {6, 96, 3, 1}, {6, 160, 3, 2}, {6, 320, 1, 1}};

// The nearest multiple of 8 that is not more than a tenth below, as in torchvision.
std::int64_t multiple_of_8(double channels) {
  auto rounded = std::max<std::int64_t>(8, static_cast<std::int64_t>(channels + 4) / 8 * 8);
  return static_cast<double>(rounded) < 0.9 * channels ? rounded + 8 : rounded;
}

Model mobilenet_v2(const Parameters& p) {
  ModelBuilder net;
  std::int64_t side = p.count("side");
  double width = p.number("width");
  auto scaled = [&](std::int64_t channels) { return multiple_of_8(width * static_cast<double>(channels)); };
  auto unit = [&](const std::string& at, Value x, std::int64_t outputs, std::int64_t kernel,
                  std::int64_t stride, std::int64_t groups) {
    x = net.convolution(at + ".0", x, outputs, kernel, {.stride = stride, .groups = groups});
    return net.function(op::Function::relu6, net.batch_norm(at + ".1", x));
  };
  Value x = net.features({p.count("channels"), side, side});
  x = unit("features.0", x, scaled(32), 3, 2, 1);
  int index = 1;
  for (const Stage& stage : kStages)
    for (std::int64_t block = 0; block < stage.blocks; ++block, ++index) {
      std::string at = "features." + std::to_string(index) + ".conv.";
      std::int64_t inputs = net.shape(x)[0], inner = inputs * stage.expansion;
      std::int64_t stride = block == 0 ? stage.stride : 1;
      int part = 0;
      Value y = x;
      if (stage.expansion > 1) y = unit(at + std::to_string(part++), y, inner, 1, 1, 1);
      y = unit(at + std::to_string(part++), y, inner, 3, stride, inner);
      y = net.convolution(at + std::to_string(part), y, scaled(stage.channels), 1);
      y = net.batch_norm(at + std::to_string(part + 1), y);
      x = net.shape(x) == net.shape(y) ? net.add(y, x) : y;
    }
  x = unit("features." + std::to_string(index), x, std::max<std::int64_t>(1280, scaled(1280)), 1, 1, 1);
  x = net.dropout(net.mean_of_places(x), p.number("dropout"));
  net.loss(net.linear("classifier.1", x, p.count("classes")));
  return net.take();
}

constexpr auto kMobileNet =
    trained(std::array<Parameter, 5>{{{"width", Unit::ratio, "[0.1, 4]", "1", "factor of all channels"},
                                      kDropout,
                                      kSide,
                                      kChannels,
                                      kClasses}},
            {{"side", "224"}, {"classes", "1000"}, {"learning_rate", "0.05"}, {"batch", "32"}});

}  // namespace

const Entry<MakeModel> kMobileNetV2Model{
    "mobilenetv2", "inverted residuals with depthwise convolutions for ImageNet",
    "Sandler et al. 2018, table 2; tensors as torchvision names them", kMobileNet, mobilenet_v2};

}  // namespace traincast
