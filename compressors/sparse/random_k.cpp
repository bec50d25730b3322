// Random-k: entries drawn at random, the same ones at every learner, or each its own.
#include "compressors/gathered.hpp"
#include "compressors/methods.hpp"
#include "compressors/sparse/random_places.hpp"
#include "compressors/sparse/shared_support.hpp"
#include "compressors/sparse/sparse_codec.hpp"

namespace traincast {

namespace {

class SharedPlaces final : public SharedSelector {
 public:
  explicit SharedPlaces(double density) : density_(density) {}
  std::uint64_t count(std::uint64_t numel) const override { return share_of(density_, numel); }
  std::vector<Index> select(std::uint64_t numel, const Draws& shared) const override {
    return random_places(numel, count(numel), shared);
  }

 private:
  double density_;
};

class OwnPlaces final : public Selector {
 public:
  OwnPlaces(double density, bool unbiased) : density_(density), unbiased_(unbiased) {}
  std::optional<std::uint64_t> count(std::uint64_t numel) const override { return share_of(density_, numel); }
  bool unbiased() const override { return unbiased_; }
  float gain(std::uint64_t numel) const override {
    return unbiased_ && numel > 0 ? static_cast<float>(numel) / static_cast<float>(*count(numel)) : 1;
  }
  std::vector<Index> select(std::span<const float> values, const Call& call) override {
    return random_places(values.size(), *count(values.size()), call.own);
  }
  std::vector<Work> work(std::uint64_t numel) const override {
    return {{Primitive::gather, {numel, *count(numel), 0}}};
  }

 private:
  double density_;
  bool unbiased_;
};

constexpr Parameter kParameters[] = {
    {"density", Unit::ratio, "(0, 1]", kRequired, "share of a tensor's entries that each learner sends"},
    {"seed", Unit::word, "shared|own", "shared",
     "shared: the same entries everywhere, so that values alone travel and are summed in flight; own: "
     "gathered "
     "with their indices"},
    {"unbiased", Unit::flag, "", "false", "values times 1 / density and no error memory, instead of one"},
    kIndexParameter,
    kValueParameter,
};

// Stich et al. 2018 (rand-k, Definition 2.1 and Algorithm 1); with a shared seed as RandomKReducer of Vogels
// et al. 2019, Appendix G.
std::unique_ptr<Compressor> make(const Parameters& parameters, std::uint64_t seed) {
  double density = parameters.number("density");
  bool unbiased = parameters.flag("unbiased");
  SparseFormat format = sparse_format(parameters);
  if (parameters.word("seed") == "own") {
    ErrorRule rule{unbiased ? ErrorRule::Error::none : ErrorRule::Error::local, 1};
    return make_gathered(make_sparse_codec(std::make_unique<OwnPlaces>(density, unbiased), format),
                         Coupling::tensor, rule, seed);
  }
  if (format.index != IndexCoding::int32 || format.value != ValueCoding::fp32)
    throw InputError("'seed' is \"shared\": no index travels, and sums are of \"fp32\" values");
  return make_shared_support(std::make_unique<SharedPlaces>(density), unbiased, seed);
}

}  // namespace

const Entry<MakeCompressor> kRandomKMethod{
    "random_k", "sends entries drawn at random; summed in flight where the seed is shared",
    "Stich et al. 2018 (arXiv 1809.07599), Definition 2.1; shared seed: Vogels et al. 2019, Appendix G",
    kParameters, make};

}  // namespace traincast
