#include "simulator/pass/gradient_sums.hpp"

#include <algorithm>

#include "base/interrupt.hpp"
#include "compressors/kernels/kernels.hpp"

namespace traincast {

GradientSums::GradientSums(const GradientTrace& trace, std::vector<std::uint32_t> numbers, double most_bytes)
    : trace_(trace), numbers_(std::move(numbers)), room_(most_bytes) {
  slots_.resize(trace.manifest().steps.size());
  for (auto& of_step : slots_)
    for (std::size_t t = 0; t < trace.manifest().layers.size(); ++t)
      of_step.push_back(std::make_unique<Slot>());
}

bool GradientSums::take_room(double bytes) {
  std::lock_guard lock(room_mutex_);
  if (bytes > room_) return false;
  room_ -= bytes;
  return true;
}

std::shared_ptr<const GradientSum> GradientSums::of(std::size_t step, std::uint32_t tensor,
                                                    std::uint32_t learners) {
  Slot& slot = *slots_.at(step).at(tensor);
  std::lock_guard lock(slot.mutex);
  auto behind = slot.kept.upper_bound(learners);
  auto known = behind == slot.kept.begin() ? slot.kept.end() : std::prev(behind);
  if (known != slot.kept.end() && known->first == learners) return known->second;

  const std::size_t numel = trace_.manifest().layers[tensor].numel();
  auto all = std::make_shared<GradientSum>();
  LearnerId learner = 0;
  if (known != slot.kept.end()) {
    *all = *known->second;
    learner = known->first;
  } else {
    all->sum.assign(numel, 0.0);
  }
  std::vector<float> gradient(numel);
  while (learner < learners) {
    throw_if_interrupted();
    trace_.read(step, learner, tensor, gradient);
    for (std::size_t e = 0; e < numel; ++e) all->sum[e] += static_cast<double>(gradient[e]);
    all->squares += kernels().sum_of_squares(gradient.data(), numel);
    ++learner;
    bool wanted = std::find(numbers_.begin(), numbers_.end(), learner) != numbers_.end();
    if (wanted && take_room(sizeof(double) * static_cast<double>(numel)))
      slot.kept.emplace(learner, learner == learners ? all : std::make_shared<GradientSum>(*all));
  }
  return all;
}

}  // namespace traincast
