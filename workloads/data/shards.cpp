#include "workloads/data/shards.hpp"

#include <cassert>
#include <numeric>
#include <utility>

#include "base/random.hpp"
#include "workloads/data/procedural_images.hpp"

namespace traincast {

std::vector<std::uint64_t> Shards::sample_indices(LearnerId learner, std::uint64_t step) const {
  assert(batch >= 1 && batch <= samples_per_learner);
  std::uint64_t steps_per_epoch = samples_per_learner / batch;
  std::uint64_t epoch = step / steps_per_epoch, first = step % steps_per_epoch * batch;
  std::vector<std::uint64_t> order(samples_per_learner);
  std::iota(order.begin(), order.end(), learner * samples_per_learner);
  RandomStream random({.seed = seed, .purpose = Purpose::shuffle, .step = epoch, .learner = learner});
  // Fisher and Yates from the front, as far as this mini-batch reaches.
  for (std::uint64_t i = 0; i < first + batch; ++i)
    std::swap(order[i], order[i + random.below(samples_per_learner - i)]);
  return {order.begin() + static_cast<std::ptrdiff_t>(first),
          order.begin() + static_cast<std::ptrdiff_t>(first + batch)};
}

void Shards::fill(LearnerId learner, std::uint64_t step, Batch& into) const {
  into.features.resize(batch * kImageSize);
  into.samples = batch, into.step = step, into.learner = learner;
  into.labels.resize(batch);
  std::size_t place = 0;
  for (std::uint64_t index : sample_indices(learner, step)) {
    std::span<float, kImageSize> image(into.features.data() + place * kImageSize, kImageSize);
    into.labels[place++] = procedural_image(seed, index, image);
  }
}

}  // namespace traincast
