// Plain convolutional networks: Simonyan and Zisserman, "Very deep convolutional networks for large-scale
// image recognition", ICLR 2015, table 1.
#include "workloads/models/model_builder.hpp"
#include "workloads/models/model_rows.hpp"

namespace traincast {

namespace {

// Tensors as torchvision names them: numbers count activations and pooling too.
Model vgg(const Parameters& p, const std::vector<int>& convolutions) {
  ModelBuilder net;
  std::int64_t side = p.count("side"), width = p.count("width"), hidden = p.count("hidden");
  Value x = net.features({p.count("channels"), side, side});
  int index = 0;
  for (std::size_t stage = 0; stage < convolutions.size(); ++stage) {
    std::int64_t channels = width << (stage < 3 ? stage : 3);
    for (int i = 0; i < convolutions[stage]; ++i, index += 2)
      x = net.relu(net.convolution("features." + std::to_string(index), x, channels, 3, {.bias = true}));
    x = net.max_pool(x);
    ++index;
  }
  x = net.flatten(x);
  for (const char* name : {"classifier.0", "classifier.3"})
    x = net.dropout(net.relu(net.linear(name, x, hidden, 2)), p.number("dropout"));
  net.loss(net.linear("classifier.6", x, p.count("classes")));
  return net.take();
}

constexpr auto kVgg = trained(
    std::array<Parameter, 6>{
        {{"width", Unit::count, "[1, 1024]", "64", "channels of the first stage"},
         {"hidden", Unit::count, "[1, 65536]", "4096", "units in each of the two hidden layers at the end"},
         kDropout,
         kSide,
         kChannels,
         kClasses}},
    {{"side", "224"}, {"classes", "1000"}, {"learning_rate", "0.01"}, {"batch", "32"}});

}  // namespace

const Entry<MakeModel> kVgg16Model{
    "vgg16", "13 convolutions and 3 fully connected layers for ImageNet",
    "Simonyan, Zisserman 2015, table 1, column D; tensors as torchvision names them", kVgg,
    [](const Parameters& p) {
      return vgg(p, {2, 2, 3, 3, 3});
    }};
const Entry<MakeModel> kVgg19Model{
    "vgg19", "16 convolutions and 3 fully connected layers for ImageNet",
    "Simonyan, Zisserman 2015, table 1, column E; tensors as torchvision names them", kVgg,
    [](const Parameters& p) {
      return vgg(p, {2, 2, 4, 4, 4});
    }};

}  // namespace traincast
