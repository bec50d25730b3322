// Hard threshold: every entry of at least a given magnitude.
#include <algorithm>
#include <limits>

#include "compressors/gathered.hpp"
#include "compressors/methods.hpp"
#include "compressors/sparse/select.hpp"
#include "compressors/sparse/sparse_codec.hpp"

namespace traincast {

namespace {

class AtLeast final : public Selector {
 public:
  /// A threshold below all floats is the least of them: zeros do not reach it.
  explicit AtLeast(float threshold)
      : threshold_(std::max(threshold, std::numeric_limits<float>::denorm_min())) {}
  std::vector<Index> select(std::span<const float> values, const Call&) override {
    return at_least(values, threshold_);
  }
  std::uint64_t expected(std::uint64_t numel) const override { return numel; }  // at most
  std::vector<Work> work(std::uint64_t numel) const override {
    return {{Primitive::threshold_scan, {numel, 0, 0}}};
  }

 private:
  float threshold_;
};

constexpr Parameter kParameters[] = {
    {"threshold", Unit::ratio, "(0, inf)", kRequired, "least magnitude of an entry that is sent"},
    kIndexParameter,
    kValueParameter,
};

std::unique_ptr<Compressor> make(const Parameters& parameters, std::uint64_t seed) {
  auto threshold = static_cast<float>(parameters.number("threshold"));
  return make_gathered(make_sparse_codec(std::make_unique<AtLeast>(threshold), sparse_format(parameters)),
                       Coupling::tensor, {ErrorRule::Error::local, 1}, seed);
}

}  // namespace

const Entry<MakeCompressor> kThresholdMethod{
    "threshold", "sends entries of at least a given magnitude, with local error feedback; gathered",
    "Sahu et al. 2021 (Rethinking gradient sparsification, arXiv 2108.00951), hard threshold", kParameters,
    make};

}  // namespace traincast
