// Fully connected layers.
#include "workloads/models/model_builder.hpp"
#include "workloads/models/model_rows.hpp"

namespace traincast {

namespace {

Model mlp(const Parameters& p) {
  ModelBuilder net;
  std::int64_t side = p.count("side");
  Value x = net.flatten(net.features({p.count("channels"), side, side}));
  int number = 0;
  for (std::int64_t units : p.counts("hidden"))
    x = net.relu(net.linear("fc" + std::to_string(number++), x, units, 2));
  net.loss(net.linear("fc" + std::to_string(number), x, p.count("classes")));
  return net.take();
}

constexpr auto kMlp = trained(std::array<Parameter, 4>{{{"hidden", Unit::counts, "[1, 65536]", "[128, 64]",
                                                         "units in each hidden layer"},
                                                        kSide,
                                                        kChannels,
                                                        kClasses}},
                              {{"learning_rate", "0.02"}});

}  // namespace

const Entry<MakeModel> kMlpModel{"mlp", "fully connected layers with ReLU, on images",
                                 "LeCun et al. 1998, section II.C", kMlp, mlp};

}  // namespace traincast
