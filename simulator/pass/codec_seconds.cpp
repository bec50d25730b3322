#include <algorithm>
#include <array>

#include "base/machine.hpp"
#include "base/median.hpp"
#include "simulator/pass/unit_walk.hpp"

namespace traincast {

namespace {

// Learners of a linear method that are timed: what one does there does not depend on how many there are.
constexpr std::uint32_t kTimed = 8;

/// Times of one bucket's phases in several steps.
class PhaseSamples {
 public:
  void add(const BucketExchange& exchange, const std::vector<PhaseSeconds>& fused) {
    seen_.resize(std::max(seen_.size(), fused.size()));
    for (std::size_t p = 0; p < fused.size(); ++p)
      for (Stage stage : {Stage::encode, Stage::decode}) {
        auto at = static_cast<std::size_t>(stage);
        std::optional<LearnerId> only;
        bool works = false;  // a method that states no work here (plain fp32) leaves the gradient where it is
        for (const Work& work : exchange.phases[p].work) {
          if (work.stage != stage) continue;
          works = true;
          if (work.only) only = work.only;
        }
        if (!works) continue;
        std::vector<double> each = fused[p].each[at];
        double alone = 0;  // what one learner does beyond what all do
        if (only && !each.empty()) {
          alone = each[*only];
          each.erase(each.begin() + *only);
          alone = std::max(0.0, alone - median(each));
        }
        seen_[p][2 * at].push_back(median(each) + fused[p].once[at]);
        seen_[p][2 * at + 1].push_back(alone);
      }
  }

  std::vector<CodecSeconds::PhaseTime> medians() const {
    std::vector<CodecSeconds::PhaseTime> all;
    for (const auto& phase : seen_) {
      CodecSeconds::PhaseTime& time = all.emplace_back();
      for (std::size_t at : {0u, 1u}) {
        time.each_s[at] = median(phase[2 * at]);
        time.only_s[at] = median(phase[2 * at + 1]);
      }
    }
    return all;
  }

 private:
  std::vector<std::array<std::vector<double>, 4>> seen_;  // of each phase and stage: of all, of one alone
};

}  // namespace

CodecSeconds measure_codec(const Scenario& scenario, const GradientTrace& trace) {
  keep_freed_memory();
  std::vector<Bucket> buckets = make_buckets(trace.manifest().layers, scenario.buckets);
  auto compressor = scenario.compressor.entry->make(scenario.compressor.parameters, scenario.seed);
  std::vector<CompressorUnit> units = make_units(*compressor, buckets);
  const std::vector<std::uint32_t> regimes = regimes_of(*compressor, trace, scenario.steps);
  // Seven steps of each way of working are enough; a warm-up is walked through for what comes after it.
  constexpr std::size_t kEnough = 8;
  std::vector<std::size_t> of_regime(*std::max_element(regimes.begin(), regimes.end()) + 1, 0);
  std::size_t steps = 0;
  for (std::size_t s = 0; s < regimes.size(); ++s)
    if (++of_regime[regimes[s]] <= kEnough) steps = s + 1;

  const GradientNorms norms = gradient_norms(*compressor, trace, steps, scenario.learners);
  const std::uint32_t learners =
      compressor->linear() ? std::min(scenario.learners, kTimed) : scenario.learners;
  std::vector<std::vector<UnitStep>> walked(units.size());
  for (std::size_t u = 0; u < units.size(); ++u) {
    UnitWalk walk(scenario, trace, units[u].seen, norms, learners, Memories::each);
    for (std::size_t s = 0; s < steps; ++s) walked[u].push_back(walk.timed_step(s));
  }

  CodecSeconds result;
  for (std::uint32_t regime = 0; regime < of_regime.size(); ++regime) {
    auto& times = result.regimes.emplace_back();
    for (std::size_t b = 0; b < buckets.size(); ++b) {
      PhaseSamples samples;
      // The first step of all pays for cold caches and first allocations; what one learner does alone gives
      // one sample a step.
      for (std::size_t s = regime == regimes[0] && of_regime[regime] > 1 ? 1 : 0; s < steps; ++s) {
        if (regimes[s] != regime) continue;
        std::vector<std::vector<Phase>> phases;
        std::vector<std::vector<PhaseSeconds>> seconds;
        for (std::size_t u = 0; u < units.size(); ++u)
          if (units[u].bucket == b) {
            phases.push_back(walked[u][s].phases);
            seconds.push_back(walked[u][s].seconds);
          }
        samples.add(fuse(phases), fuse_seconds(phases, seconds));
      }
      times.push_back(samples.medians());
    }
  }
  return result;
}

}  // namespace traincast
