// Recommendation: He et al., "Neural collaborative filtering", WWW 2017.
#include "base/error.hpp"
#include "workloads/models/model_builder.hpp"
#include "workloads/models/model_rows.hpp"

namespace traincast {

namespace {

// NeuMF (figure 3): matrix factorisation beside a perceptron, each with embeddings of its own; a sample is a
// user and an item. Tensors as NVIDIA's and MLPerf's.
Model ncf(const Parameters& p) {
  std::vector<std::int64_t> hidden = p.counts("hidden");
  if (hidden.empty() || hidden.front() % 2 != 0)
    throw InputError("hidden must begin with an even number: the embeddings of user and item, joined");
  ModelBuilder net;
  std::int64_t users = p.count("users"), items = p.count("items"), factors = p.count("factors");
  Value sample = net.numbers(2, {users, items});
  Value user = net.slice(sample, {0, 0, 1, 1}), item = net.slice(sample, {0, 1, 2, 1});
  auto embedding = [&](const std::string& name, Value number, std::int64_t rows, std::int64_t width) {
    return net.flatten(net.embedding(name + ".weight", number, rows, width, 0.01));
  };
  Value factored = embedding("mf_user_embed", user, users, factors);
  factored = net.multiply(factored, embedding("mf_item_embed", item, items, factors));
  Value x = embedding("mlp_user_embed", user, users, hidden[0] / 2);
  x = net.concatenate(x, embedding("mlp_item_embed", item, items, hidden[0] / 2));
  for (std::size_t i = 1; i < hidden.size(); ++i)
    x = net.relu(net.linear("mlp." + std::to_string(i - 1), x, hidden[i], 2));
  net.loss(net.linear("final", net.concatenate(factored, x), 1));
  return net.take();
}

constexpr auto kNcf = trained(
    std::array<Parameter, 4>{{{"users", Unit::count, "[1, 100000000]", "138493", "of the data"},
                              {"items", Unit::count, "[1, 100000000]", "26744", "of the data"},
                              {"factors", Unit::count, "[1, 65536]", "64", "of the matrix factorisation"},
                              {"hidden", Unit::counts, "[1, 65536]", "[256, 256, 128, 64]",
                               "inputs of the perceptron (both embeddings), and units of its layers"}}},
    {{"data", "ratings"}, {"learning_rate", "0.5"}, {"batch", "256"}, {"samples_per_learner", "65536"}});

}  // namespace

const Entry<MakeModel> kNcfModel{"ncf", "NeuMF: whether a user takes an item; the defaults fit MovieLens-20M",
                                 "He et al. 2017, section 3.4", kNcf, ncf};

}  // namespace traincast
