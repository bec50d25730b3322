// Gradients that nobody trained: values drawn from a seed, for as many learners and as large a model as one
// likes, without a byte on the disk.
#pragma once

#include <list>
#include <memory>
#include <mutex>
#include <vector>

#include "base/parameters.hpp"
#include "workloads/trace/trace.hpp"

namespace traincast {

/// Its name in catalog and manifest.
inline constexpr const char* kSyntheticName = "synthetic";

/// g = c · (√s · common + √(1 − s) · own), with s = `shared`. `common` and `own` have mean 0 and variance 1
/// (the sum of four bytes): one is drawn for each step and tensor, the other for each step, learner and
/// tensor. The scale c is drawn for each tensor and stays: u^(−3/8) / 2, u even in (0, 1], so that its mean
/// square is 1 and the largest share q of places has q^(1/4) of the squares. Every draw is a function of
/// seed, step, learner, tensor and place alone.
class SyntheticGradients final : public GradientTrace {
 public:
  /// `shapes`: model, layers, learners, steps and seed.
  SyntheticGradients(Manifest shapes, const Parameters& parameters);

  const Manifest& manifest() const override { return manifest_; }
  void read(std::size_t step, LearnerId learner, std::uint32_t tensor, std::span<float> into) const override;

 private:
  /// What learners have in common: g = common + scale · own.
  struct Common {
    std::size_t step = 0;
    std::uint32_t tensor = 0;
    std::vector<float> common, scale;
  };
  std::shared_ptr<const Common> common_of(std::size_t step, std::uint32_t tensor) const;
  std::shared_ptr<const Common> draw_common(std::size_t step, std::uint32_t tensor) const;

  Manifest manifest_;
  float of_common_ = 0, of_own_ = 0;
  mutable std::mutex mutex_;
  mutable std::list<std::shared_ptr<const Common>> recent_;  // the last that was asked for first
};

/// Whether values of this source, as a manifest's data or an exchange's gradients tell it, were drawn.
bool are_drawn(const Json& source);

}  // namespace traincast
