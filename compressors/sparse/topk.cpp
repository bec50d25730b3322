// Top-k with memory: each learner sends its entries of largest magnitude.
#include <cmath>
#include <string>

#include "compressors/gathered.hpp"
#include "compressors/methods.hpp"
#include "compressors/sparse/select.hpp"
#include "compressors/sparse/sparse_codec.hpp"
#include "compressors/sparse/sparse_summed.hpp"

namespace traincast {

std::uint64_t share_of(double density, std::uint64_t numel) {
  if (numel == 0) return 0;
  auto k = static_cast<std::uint64_t>(std::floor(density * static_cast<double>(numel) + 1e-9));
  return std::min(std::max<std::uint64_t>(k, 1), numel);
}

namespace {

class TopK final : public Selector {
 public:
  explicit TopK(double density) : density_(density) {}
  std::vector<Index> select(std::span<const float> values, const Call&) override {
    return largest(values, share_of(density_, values.size()));
  }
  std::optional<std::uint64_t> count(std::uint64_t numel) const override { return share_of(density_, numel); }
  std::vector<Work> work(std::uint64_t numel) const override {
    return {{Primitive::topk, {numel, share_of(density_, numel), 0}}};
  }

 private:
  double density_;
};

constexpr Parameter kParameters[] = {
    {"density", Unit::ratio, "(0, 1]", kRequired, "share of the entries that each learner sends"},
    {"transport", Unit::word, "all_gather|sparse_all_reduce", "all_gather",
     "every message to everybody, or sums in flight, whose supports unite on the way"},
    kScopeParameter,
    kIndexParameter,
    kValueParameter,
};

// Stich et al. 2018 (Mem-SGD), Algorithm 1; the memory in gradient units. Summed in flight: Renggli et al.
// 2019 (SparCML).
std::unique_ptr<Compressor> make(const Parameters& parameters, std::uint64_t seed) {
  SparseFormat format = sparse_format(parameters);
  auto codec = make_sparse_codec(std::make_unique<TopK>(parameters.number("density")), format);
  ErrorRule rule{ErrorRule::Error::local, 1};
  if (parameters.word("transport") == "all_gather")
    return make_gathered(std::move(codec), scope_of(parameters), rule, seed);
  if (format.index != IndexCoding::int32 || format.value != ValueCoding::fp32)
    throw InputError(
        "'transport' is \"sparse_all_reduce\", whose sums travel with 'index' \"int32\" and 'value' "
        "\"fp32\" only");
  return make_sparse_summed(std::move(codec), scope_of(parameters), rule, seed);
}

}  // namespace

const Entry<MakeCompressor> kTopKMethod{
    "topk",
    "sends each learner's entries of largest magnitude, with local error feedback; gathered or summed",
    "Stich et al. 2018 (Mem-SGD, arXiv 1809.07599), Algorithm 1", kParameters, make};

}  // namespace traincast
