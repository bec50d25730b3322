// Methods that agree on a scale first and then sum integers in flight.
#pragma once

#include <memory>
#include <optional>

#include "compressors/compressor.hpp"
#include "compressors/draws.hpp"

namespace traincast {

/// Integers of a vector at a scale that all learners share.
class IntegerLevels {
 public:
  virtual ~IntegerLevels() = default;
  /// The largest magnitude of a level.
  virtual std::uint64_t most() const = 0;
  virtual bool unbiased() const = 0;
  /// This learner's scale; the largest of all is shared.
  virtual float scale_of(std::span<const float> values) const = 0;
  /// Whole numbers from −most to most; a level l stands for l · scale / most.
  virtual void levels(std::span<const float> values, float scale, const Draws& draws,
                      std::span<float> out) const = 0;
};

/// The narrowest integers that hold sums up to this; throws InputError where none does exactly.
Element narrowest_integers(std::uint64_t largest_sum);

/// Phase 0: all-reduce (largest) of the scale; phase 1: all-reduce of the levels; phase 2: decode. Levels
/// travel as `element`, or in the narrowest integers that hold the sum over all learners. Where the sum would
/// not fit, the number of learners is refused.
std::unique_ptr<Compressor> make_integer_sum(std::unique_ptr<const IntegerLevels> levels,
                                             std::optional<Element> element, ErrorRule rule,
                                             std::uint64_t seed);

}  // namespace traincast
