// The norm test: a mini-batch is large enough where the variance of the gradient that is applied is at most
// η² times its square. Byrd, Chin, Nocedal, Wu 2012 (Sample size selection in optimization methods for
// machine learning), section 3; Bollapragada, Byrd, Nocedal 2018 (Adaptive sampling strategies for stochastic
// optimization); for Local SGD Lau, Li, Xu, Liu, Kolar 2024 (arXiv 2406.13936), who take the learners' last
// gradients before models are averaged, at the learners' own models. Recalled from these papers, not read in
// them; the factors below are derived here.
//
// Of N learners with gradients g_i, each over b samples, the mean ḡ is one over N·b. Its variance is
// estimated by Σ_i ‖g_i − ḡ‖² / (N (N − 1)), and falls as 1/b. So where it exceeds η² ‖ḡ‖²,
//     b ← ⌈ b · Σ_i ‖g_i − ḡ‖² / (N (N − 1) η² ‖ḡ‖²) ⌉,
// here up to whole mini-batches of the workload's size, and up to the largest that is allowed. It never
// falls.
//
// What it costs: the mean gradient is needed, one all-reduce of the gradients where the method does not give
// it (dense synchronous SGD does), and the sum of the learners' squares, one number more.
#include "simulator/training/batch_growth.hpp"

#include <algorithm>
#include <cmath>

namespace traincast {

BatchGrowth::BatchGrowth(const Scenario& scenario)
    : noise_(scenario.training->parameters.number("noise")),
      every_(static_cast<std::uint64_t>(scenario.training->parameters.count("test_every"))),
      steps_(scenario.training->steps),
      learners_(scenario.learners) {
  auto samples = static_cast<std::uint64_t>(scenario.training->parameters.count("largest_batch"));
  if (samples == 0) samples = scenario.training->samples_per_learner;
  largest_ = static_cast<std::uint32_t>(std::max<std::uint64_t>(1, samples / scenario.training->batch));
}

BatchGrowth::Batches BatchGrowth::take() {
  Batches batches{taken_, static_cast<std::uint32_t>(std::min<std::uint64_t>(now_, steps_ - taken_))};
  taken_ += batches.count;
  return batches;
}

bool BatchGrowth::is_due() { return noise_ > 0 && averagings_++ % every_ == 0; }

void BatchGrowth::test(std::span<const std::span<const float>> gradients) {
  const double wanted = std::ceil(now_ * growth_of_norm_test(gradients, noise_));
  if (wanted > now_) now_ = wanted < largest_ ? static_cast<std::uint32_t>(wanted) : largest_;
}

void BatchGrowth::charge(StepRecord& record, std::span<const Bucket> buckets, bool tested,
                         bool mean_is_there) const {
  if (noise_ == 0) return;
  for (std::size_t b = 0; b < buckets.size(); ++b) {
    std::vector<Phase>& phases = record.buckets[b].phases;
    const std::uint64_t n = buckets[b].numel();
    Phase test;
    if (tested) {
      Op sum{.word = Word::all_reduce, .count = (mean_is_there ? 0 : n) + (b + 1 == buckets.size() ? 1 : 0)};
      sum.value_bytes = std::uint64_t{learners_} * sizeof(float) * (mean_is_there ? 0 : n);
      sum.waits = false;
      test.work.push_back({Primitive::reduction, {n}, 1, Stage::encode});  // ‖g_i‖²
      if (sum.count > 0) test.op = std::move(sum);
      phases.back().work.push_back({Primitive::reduction, {n}, 1, Stage::decode});  // ‖ḡ‖²
    }
    phases.insert(phases.begin(), std::move(test));
  }
}

void BatchGrowth::save(Writer& writer) const {
  writer.put(now_);
  writer.put(taken_);
  writer.put(averagings_);
}

void BatchGrowth::load(Reader& reader) {
  now_ = reader.get<std::uint32_t>();
  taken_ = reader.get<std::uint64_t>();
  averagings_ = reader.get<std::uint64_t>();
}

double growth_of_norm_test(std::span<const std::span<const float>> gradients, double noise) {
  const auto learners = static_cast<double>(gradients.size());
  double differences = 0, mean_square = 0;
  for (std::size_t e = 0; e < gradients.front().size(); ++e) {
    double sum = 0, squares = 0;
    for (std::span<const float> gradient : gradients) sum += static_cast<double>(gradient[e]);
    const double mean = sum / learners;
    for (std::span<const float> gradient : gradients) {
      const double away = static_cast<double>(gradient[e]) - mean;
      squares += away * away;
    }
    differences += squares;
    mean_square += mean * mean;
  }
  if (differences == 0) return 0;
  return differences / (learners * (learners - 1) * noise * noise * mean_square);
}

}  // namespace traincast
