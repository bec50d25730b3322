// MSTop-K: k entries by bisection of a threshold, with nothing but counting.
#include <algorithm>
#include <bit>
#include <cmath>

#include "compressors/gathered.hpp"
#include "compressors/kernels/kernels.hpp"
#include "compressors/methods.hpp"
#include "compressors/sparse/random_places.hpp"
#include "compressors/sparse/select.hpp"
#include "compressors/sparse/sparse_codec.hpp"

namespace traincast {

MagnitudeBracket bisect_magnitude(std::span<const float> values, std::uint64_t k, unsigned iterations) {
  const double sum = kernels().sum_of_magnitudes(values.data(), values.size());
  const float largest = kernels().largest_magnitude(values.data(), values.size());
  const auto mean = static_cast<float>(sum / static_cast<double>(std::max<std::size_t>(values.size(), 1)));
  // `above` leaves at most k entries, `below` more; infinity and 0 stand for "none seen yet".
  MagnitudeBracket bracket;
  float low = 0, high = 1;
  // Entries below a threshold that too many reach are looked at no more.
  std::vector<float> held;
  std::span<const float> left = values;
  for (unsigned i = 0; i < iterations; ++i) {
    float ratio = low + (high - low) / 2, threshold = mean + ratio * (largest - mean);
    const std::uint64_t seen =
        kernels().count_from(left.data(), left.size(), std::bit_cast<std::int32_t>(threshold));
    if (seen <= k) {
      high = ratio;
      if (seen > bracket.count || std::isinf(bracket.above)) {
        bracket.above = threshold;
        bracket.count = seen;
      }
    } else {
      low = ratio;
      bracket.below = std::max(bracket.below, threshold);
      if (4 * seen > left.size()) continue;
      std::vector<float> fewer;
      fewer.reserve(seen);
      for (Index place : at_least(left, threshold)) fewer.push_back(left[place]);
      held = std::move(fewer);
      left = held;
    }
  }
  return bracket;
}

namespace {

class Bisection final : public Selector {
 public:
  Bisection(double density, unsigned iterations) : density_(density), iterations_(iterations) {}
  std::optional<std::uint64_t> count(std::uint64_t numel) const override { return share_of(density_, numel); }

  std::vector<Index> select(std::span<const float> values, const Call& call) override {
    const std::uint64_t k = *count(values.size());
    const MagnitudeBracket bracket = bisect_magnitude(values, k, iterations_);
    std::vector<Index> sure, rest;
    for (Index place : at_least(values, bracket.below))
      (std::fabs(values[place]) >= bracket.above ? sure : rest).push_back(place);
    // The rest is filled with one run of those between the thresholds, from a random one on.
    std::uint64_t missing = k - sure.size();
    if (missing == 0) return sure;
    std::uint64_t start = draw_below(call.own, 0, rest.size() - missing + 1);
    sure.insert(sure.end(), rest.begin() + static_cast<std::ptrdiff_t>(start),
                rest.begin() + static_cast<std::ptrdiff_t>(start + missing));
    std::sort(sure.begin(), sure.end());
    return sure;
  }

  std::vector<Work> work(std::uint64_t numel) const override {
    return {{Primitive::reduction, {numel, 0, 0}, iterations_ + 1},
            {Primitive::threshold_scan, {numel, *count(numel), 0}}};
  }

 private:
  double density_;
  unsigned iterations_;
};

constexpr Parameter kParameters[] = {
    {"density", Unit::ratio, "(0, 1]", kRequired, "share of the entries that each learner sends"},
    {"iterations", Unit::count, "[1, 100]", "25", "bisections of the threshold"},
    kScopeParameter,
    kIndexParameter,
    kValueParameter,
};

std::unique_ptr<Compressor> make(const Parameters& parameters, std::uint64_t seed) {
  auto selector = std::make_unique<Bisection>(parameters.number("density"),
                                              static_cast<unsigned>(parameters.count("iterations")));
  return make_gathered(make_sparse_codec(std::move(selector), sparse_format(parameters)),
                       scope_of(parameters), {ErrorRule::Error::local, 1}, seed);
}

}  // namespace

const Entry<MakeCompressor> kMsTopKMethod{
    "mstopk", "sends k entries found by bisection of a threshold, with local error feedback; gathered",
    "Shi et al. 2021 (Towards scalable distributed training, arXiv 2010.10458), Algorithm 1", kParameters,
    make};

}  // namespace traincast
