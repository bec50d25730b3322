#include "simulator/pass/generated_exchange.hpp"

#include <algorithm>
#include <cmath>

#include "base/random.hpp"
#include "compressors/group.hpp"
#include "compressors/methods.hpp"
#include "simulator/pass/tensor_bytes.hpp"

namespace traincast {

namespace {

/// Adds places that are not there yet until there are so many, rising.
void draw_until(std::vector<Index>& places, std::uint64_t wanted, std::uint64_t numel, const StreamKey& key) {
  RandomStream draws(key);
  while (places.size() < wanted) {
    for (std::size_t missing = wanted - places.size(); missing > 0; --missing)
      places.push_back(static_cast<Index>(draws.below(numel)));
    std::sort(places.begin(), places.end());
    places.erase(std::unique(places.begin(), places.end()), places.end());
  }
}

void add_statistics(StepRecord& step, const Supports& supports, std::uint64_t numel) {
  std::vector<bool> held(numel, false);
  double united = 0, sent = 0, absent = 1;
  step.union_by_hop.resize(supports.size());
  for (std::size_t learner = 0; learner < supports.size(); ++learner) {
    for (Index place : supports[learner]) {
      if (!held[place]) ++united;
      held[place] = true;
    }
    auto size = static_cast<double>(supports[learner].size());
    sent += size;
    if (numel > 0) absent *= 1 - size / static_cast<double>(numel);
    step.union_by_hop[learner] += united;
  }
  step.mean_support += sent / static_cast<double>(supports.size());
  step.independent_union += (1 - absent) * static_cast<double>(numel);
}

}  // namespace

ExchangeRecord generated_exchange(const Scenario& scenario, std::span<const TensorInfo> layers,
                                  double density, double overlap) {
  ExchangeRecord record;
  record.learners = scenario.learners;
  record.buckets = make_buckets(layers, scenario.buckets);
  StepRecord& step = record.steps.emplace_back();
  for (const Bucket& bucket : record.buckets) {
    std::vector<std::vector<Phase>> units;
    for (const TensorInfo& tensor : bucket.tensors) {
      std::uint64_t numel = tensor.numel(), k = share_of(density, numel);
      record.parameters += numel;
      auto common = static_cast<std::uint64_t>(std::floor(overlap * static_cast<double>(k)));
      std::vector<Index> shared;
      draw_until(shared, common, numel,
                 {.seed = scenario.seed, .purpose = Purpose::shared, .tensor = tensor.id});
      Group group(scenario.learners);
      std::vector<float> sum(numel);
      group.sparse_all_reduce(sum, sizeof(Index) + sizeof(float), {{Primitive::topk, {numel, k, 0}}},
                              [&](LearnerId learner) {
                                SparseVector drawn{shared, {}};
                                draw_until(drawn.indices, k, numel,
                                           {.seed = scenario.seed,
                                            .purpose = Purpose::compressor,
                                            .learner = learner,
                                            .tensor = tensor.id});
                                drawn.values.assign(drawn.indices.size(), 1.0f);
                                return drawn;
                              });
      group.phase(1);
      group.once(Stage::decode, {{Primitive::elementwise, {numel, 0, 0}}}, [] {});
      units.push_back(group.phases());
      note_tensor_bytes(step, {tensor.id, {tensor}}, units.back(), scenario.learners);
      add_statistics(step, *units.back()[0].op->supports, numel);
    }
    step.buckets.push_back(fuse(units));
  }
  return record;
}

}  // namespace traincast
