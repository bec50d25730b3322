// Segmentation: Ronneberger et al., "U-Net: convolutional networks for biomedical image segmentation", MICCAI
// 2015, figure 1; padded, so that the mask has the image's size.
#include "base/error.hpp"
#include "workloads/models/model_builder.hpp"
#include "workloads/models/model_rows.hpp"

namespace traincast {

namespace {

Model unet(const Parameters& p) {
  std::int64_t side = p.count("side"), width = p.count("width"), levels = p.count("levels");
  if (side % (std::int64_t{1} << levels) != 0)
    throw InputError("side must be a multiple of 2^levels = " + std::to_string(std::int64_t{1} << levels) +
                     ", got " + std::to_string(side));
  ModelBuilder net;
  auto twice = [&](const std::string& at, Value x, std::int64_t outputs) {
    for (int i : {0, 1}) {
      bool norm = p.flag("batch_norm");
      std::string n = std::to_string(i);
      x = net.convolution(at + ".conv" + n, x, outputs, 3, {.bias = !norm});
      if (norm) x = net.batch_norm(at + ".norm" + n, x);
      x = net.relu(x);
    }
    return x;
  };
  std::vector<Value> across;
  Value x = twice("down0", net.features({p.count("channels"), side, side}), width);
  for (std::int64_t level = 1; level <= levels; ++level) {
    across.push_back(x);
    x = twice("down" + std::to_string(level), net.max_pool(x), width << level);
  }
  for (std::int64_t level = levels - 1; level >= 0; --level) {
    std::string at = "up" + std::to_string(level);
    x = net.concatenate(across[static_cast<std::size_t>(level)],
                        net.enlarge(at + ".enlarge", x, width << level));
    x = twice(at, x, width << level);
  }
  x = net.convolution("out", x, p.count("classes"), 1, {.bias = true, .gain = 1});
  net.loss(net.places_last(x));
  return net.take();
}

constexpr auto kUNet = trained(
    std::array<Parameter, 6>{
        {{"width", Unit::count, "[1, 1024]", "64", "channels of the first level, doubled in each below"},
         {"levels", Unit::count, "[1, 8]", "4", "how often the image is halved"},
         {"batch_norm", Unit::flag, "", "true",
          "normalise after each convolution; otherwise each has a bias"},
         kSide,
         kChannels,
         kClasses}},
    {{"data", "masks"}, {"side", "128"}, {"classes", "2"}, {"learning_rate", "0.05"}, {"batch", "4"}});

}  // namespace

const Entry<MakeModel> kUNetModel{"unet", "U-Net: a class for every place of an image",
                                  "Ronneberger et al. 2015, figure 1, padded; normalised in place of "
                                  "biases unless batch_norm is false",
                                  kUNet, unet};

}  // namespace traincast
