// gTop-k: k entries survive every merge of two on the way up a tree, and the root's go to everybody.
#include <algorithm>
#include <cmath>

#include "compressors/gathered.hpp"
#include "compressors/methods.hpp"
#include "compressors/sparse/select.hpp"
#include "compressors/sparse/sparse_message.hpp"

namespace traincast {

namespace {

/// The sum of two sparse vectors, cut to the k entries of largest magnitude.
SparseVector merged(const SparseVector& a, const SparseVector& b, std::uint64_t k) {
  SparseVector both;
  std::size_t i = 0, j = 0;
  while (i < a.indices.size() || j < b.indices.size()) {
    Index left = i < a.indices.size() ? a.indices[i] : ~Index{0};
    Index right = j < b.indices.size() ? b.indices[j] : ~Index{0};
    both.indices.push_back(std::min(left, right));
    float value = 0;
    if (left <= right) value += a.values[i++];
    if (right <= left) value += b.values[j++];
    both.values.push_back(value);
  }
  SparseVector top;
  for (Index place : largest(both.values, k)) {
    top.indices.push_back(both.indices[place]);
    top.values.push_back(both.values[place]);
  }
  return top;
}

class GTopK final : public Compressor {
 public:
  explicit GTopK(double density) : density_(density) {}

  Coupling coupling() const override { return Coupling::tensor; }
  ErrorRule error_rule() const override { return {ErrorRule::Error::local, 1}; }
  bool sizes_depend_on_values() const override { return false; }
  /// What is cut off at an inner node, though its index survives elsewhere, is in nobody's memory.
  bool averages_contributions() const override { return false; }

  /// Shi et al. 2019, Algorithms 2 and 3, on a binomial tree, for any number of learners. What is chosen here
  /// but is not among the root's entries returns to the memory.
  void aggregate(const Step&, const Bucket& unit, const GradientSource& source, Group& group,
                 Contributions& contributions, std::span<float> average) override {
    const std::uint64_t numel = unit.numel(), k = share_of(density_, numel);
    const std::uint32_t learners = group.size();
    std::vector<float> vector(numel);
    std::vector<SparseVector> own(learners);

    group.phase(0);
    group.each(Stage::encode, {{Primitive::topk, {numel, k, 0}}}, [&](LearnerId learner) {
      source.read(learner, vector);
      own[learner].indices = largest(vector, k);
      for (Index index : own[learner].indices) own[learner].values.push_back(vector[index]);
    });

    const Bytes encoded = learners * (sizeof(Index) + sizeof(float)) * k,
                value_bytes = learners * sizeof(float) * k;
    std::vector<SparseVector> held = own;
    auto written = [&](LearnerId from) {
      return write_sparse(held[from].indices, held[from].values, numel, {}, false);
    };
    const std::uint64_t both = std::min(2 * k, numel);
    unsigned phase = 0;
    std::vector<std::vector<Transfer>> down;
    for (std::uint32_t stride = 1; stride < learners; stride *= 2) {
      std::vector<Transfer> up;
      std::vector<Message> messages;
      for (LearnerId to = 0; to + stride < learners; to += 2 * stride) {
        messages.push_back(written(to + stride));
        up.push_back({to + stride, to, messages.back().size()});
      }
      auto merge = [&](std::size_t t) {
        held[up[t].to] = merged(held[up[t].to], read_sparse(messages[t], numel, {}, {}), k);
      };
      group.rounds({up}, phase == 0 ? encoded : 0, phase == 0 ? value_bytes : 0);
      group.phase(++phase);
      // The root merges after every round, and nobody who merges beside it is later than it.
      group.at(0, Stage::encode, {{Primitive::elementwise, {both, 0, 0}}, {Primitive::topk, {both, k, 0}}},
               [&] { merge(0); });
      for (std::size_t t = 1; t < up.size(); ++t) merge(t);
      down.insert(down.begin(), up);
    }
    const Message answer = written(0);
    const SparseVector root = read_sparse(answer, numel, {}, {});
    for (auto& round : down)
      for (Transfer& transfer : round) transfer = {transfer.to, transfer.from, answer.size()};
    group.rounds(std::move(down), learners == 1 ? encoded : 0, learners == 1 ? value_bytes : 0);

    group.phase(++phase);
    group.each(Stage::encode, {{Primitive::gather, {numel, k, 0}}}, [&](LearnerId learner) {
      SparseVector taken;
      auto in_root = root.indices.begin();
      for (std::size_t j = 0; j < own[learner].indices.size(); ++j) {
        in_root = std::lower_bound(in_root, root.indices.end(), own[learner].indices[j]);
        if (in_root == root.indices.end() || *in_root != own[learner].indices[j]) continue;
        taken.indices.push_back(own[learner].indices[j]);
        taken.values.push_back(own[learner].values[j]);
      }
      contributions.kept(learner, taken.indices, taken.values, Selection::own);
    });
    group.phase(++phase);
    group.once(Stage::decode, {{Primitive::elementwise, {numel, 0, 0}}, {Primitive::scatter, {numel, k, 0}}},
               [&] {
                 std::fill(average.begin(), average.end(), 0.0f);
                 for (std::size_t j = 0; j < root.indices.size(); ++j)
                   average[root.indices[j]] = root.values[j];
                 take_mean(average, learners);
               });
  }

  void save(Writer&) const override {}
  void load(Reader&) override {}

 private:
  double density_;
};

constexpr Parameter kParameters[] = {
    {"density", Unit::ratio, "(0, 1]", kRequired,
     "share of a tensor's entries that is sent and that survives"},
};

std::unique_ptr<Compressor> make(const Parameters& parameters, std::uint64_t) {
  return std::make_unique<GTopK>(parameters.number("density"));
}

}  // namespace

const Entry<MakeCompressor> kGTopKMethod{
    "gtopk", "top-k of sums of top-k up a binomial tree, the root's entries back to all",
    "Shi et al. 2019 (gTop-k, arXiv 1901.04359), Algorithms 2 and 3", kParameters, make};

}  // namespace traincast
