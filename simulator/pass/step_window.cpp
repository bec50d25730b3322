#include "simulator/pass/step_window.hpp"

#include <algorithm>
#include <stdexcept>

namespace traincast {

StepWindow::StepWindow(const Manifest& manifest) : manifest_(manifest), held_(manifest.layers.size()) {
  std::uint64_t at = 0;
  for (const TensorInfo& layer : manifest.layers) {
    places_.push_back(at);
    at += layer.numel();
  }
}

void StepWindow::hold(std::span<const std::uint32_t> tensors) {
  for (std::vector<float>& values : held_) std::vector<float>().swap(values);
  for (std::uint32_t tensor : tensors)
    held_[tensor].resize(manifest_.learners * manifest_.layers[tensor].numel());
}

void StepWindow::begin(std::size_t step) { step_ = step; }

void StepWindow::put(LearnerId learner, std::span<const float> gradient) {
  for (std::size_t tensor = 0; tensor < held_.size(); ++tensor) {
    if (held_[tensor].empty()) continue;
    const std::uint64_t numel = manifest_.layers[tensor].numel();
    std::ranges::copy(gradient.subspan(places_[tensor], numel),
                      held_[tensor].begin() + static_cast<std::ptrdiff_t>(learner * numel));
  }
}

void StepWindow::read(std::size_t step, LearnerId learner, std::uint32_t tensor,
                      std::span<float> into) const {
  if (step != step_ || held_[tensor].size() < (learner + 1) * into.size())
    throw std::logic_error("a gradient was read that is not there now");
  std::copy_n(held_[tensor].begin() + static_cast<std::ptrdiff_t>(learner * into.size()), into.size(),
              into.begin());
}

}  // namespace traincast
