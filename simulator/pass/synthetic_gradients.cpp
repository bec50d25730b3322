#include "simulator/pass/synthetic_gradients.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "compressors/draws.hpp"

namespace traincast {

namespace {

// Units that are walked at once, and as many of sums, each ask for one.
constexpr std::size_t kRecent = 6;
// In place of a learner's number in the key of draws.
constexpr LearnerId kAllLearners = ~LearnerId{0}, kScale = kAllLearners - 1;

/// Mean 0, variance 1: a byte that is even in 0 … 255 has the variance (256² − 1) / 12.
float from_four_bytes(std::uint32_t draw) {
  constexpr float kDeviation = 147.8005413f;  // √(4 · (256² − 1) / 12)
  constexpr int kMean = 4 * 255 / 2;
  const std::uint32_t pairs = (draw & 0x00ff00ff) + ((draw >> 8) & 0x00ff00ff);
  const auto sum = static_cast<int>((pairs & 0xffff) + (pairs >> 16));
  return static_cast<float>(sum - kMean) * (1 / kDeviation);
}

/// u^(−3/8) / 2 by square roots alone, which are the same on every machine.
float pareto_scale(std::uint32_t draw) {
  const double u = (static_cast<double>(draw >> 8) + 1) * 0x1p-24;
  const double fourth = std::sqrt(std::sqrt(u));
  return static_cast<float>(0.5 / (fourth * std::sqrt(fourth)));
}

}  // namespace

SyntheticGradients::SyntheticGradients(Manifest shapes, const Parameters& parameters)
    : manifest_(std::move(shapes)),
      of_common_(static_cast<float>(std::sqrt(parameters.number("shared")))),
      of_own_(static_cast<float>(std::sqrt(1 - parameters.number("shared")))) {
  Json data;
  data["name"] = kSyntheticName;
  data["made"] = true;
  for (const char* key : {"batch", "samples_per_learner"}) data[key] = parameters.count(key);
  data["shared"] = parameters.number("shared");
  manifest_.data = data;
  manifest_.optimizer["name"] = "none";  // a unit of updates is one of gradients
  manifest_.optimizer["learning_rate"] = 1;
}

bool are_drawn(const Json& source) {
  const Json* name = source.find("name");
  return name && name->is_string() && name->text() == kSyntheticName;
}

void SyntheticGradients::read(std::size_t step, LearnerId learner, std::uint32_t tensor,
                              std::span<float> into) const {
  const std::shared_ptr<const Common> known = common_of(step, tensor);
  const float *common = known->common.data(), *scale = known->scale.data();
  for_each_draw(
      KeyedDraws({manifest_.seed, Purpose::data, manifest_.steps[step], learner, tensor}), into.size(),
      [&](std::uint64_t i, std::uint32_t draw) { into[i] = common[i] + scale[i] * from_four_bytes(draw); });
}

std::shared_ptr<const SyntheticGradients::Common> SyntheticGradients::common_of(std::size_t step,
                                                                                std::uint32_t tensor) const {
  std::lock_guard lock(mutex_);
  auto known = std::ranges::find_if(
      recent_, [&](const auto& common) { return common->step == step && common->tensor == tensor; });
  if (known == recent_.end()) {
    recent_.push_front(draw_common(step, tensor));
    if (recent_.size() > kRecent) recent_.pop_back();
  } else {
    recent_.splice(recent_.begin(), recent_, known);
  }
  return recent_.front();
}

std::shared_ptr<const SyntheticGradients::Common> SyntheticGradients::draw_common(
    std::size_t step, std::uint32_t tensor) const {
  const std::uint64_t numel = manifest_.layers[tensor].numel();
  auto drawn =
      std::make_shared<Common>(Common{step, tensor, std::vector<float>(numel), std::vector<float>(numel)});
  const std::uint64_t seed = manifest_.seed;
  for_each_draw(KeyedDraws({seed, Purpose::data, 0, kScale, tensor}), numel,
                [&](std::uint64_t i, std::uint32_t draw) { drawn->scale[i] = pareto_scale(draw); });
  for_each_draw(KeyedDraws({seed, Purpose::data, manifest_.steps[step], kAllLearners, tensor}), numel,
                [&](std::uint64_t i, std::uint32_t draw) {
                  drawn->common[i] = of_common_ * drawn->scale[i] * from_four_bytes(draw);
                  drawn->scale[i] *= of_own_;
                });
  return drawn;
}

}  // namespace traincast
