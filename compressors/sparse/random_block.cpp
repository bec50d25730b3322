// Random block: one run of entries that starts at a random place, the same at every learner.
#include <algorithm>
#include <numeric>

#include "compressors/methods.hpp"
#include "compressors/sparse/random_places.hpp"
#include "compressors/sparse/shared_support.hpp"

namespace traincast {

namespace {

class Block final : public SharedSelector {
 public:
  explicit Block(double density) : density_(density) {}
  std::uint64_t count(std::uint64_t numel) const override { return share_of(density_, numel); }
  std::vector<Index> select(std::uint64_t numel, const Draws& shared) const override {
    std::vector<Index> places(count(numel));
    if (places.empty()) return places;
    // What goes around the end comes first.
    const std::uint64_t start = draw_below(shared, 0, numel);
    const std::uint64_t around = std::max(start + places.size(), numel) - numel;
    const auto behind = places.begin() + static_cast<std::ptrdiff_t>(around);
    std::iota(places.begin(), behind, Index{0});
    std::iota(behind, places.end(), static_cast<Index>(start));
    return places;
  }
  Work gather_work(std::uint64_t numel) const override {
    return {Primitive::elementwise, {count(numel), 0, 0}};
  }

 private:
  double density_;
};

constexpr Parameter kParameters[] = {
    {"density", Unit::ratio, "(0, 1]", kRequired, "share of a tensor's entries that each learner sends"},
    {"unbiased", Unit::flag, "", "false", "values times 1 / density and no error memory, instead of one"},
};

std::unique_ptr<Compressor> make(const Parameters& parameters, std::uint64_t seed) {
  return make_shared_support(std::make_unique<Block>(parameters.number("density")),
                             parameters.flag("unbiased"), seed);
}

}  // namespace

const Entry<MakeCompressor> kRandomBlockMethod{
    "random_block", "sends one run of entries from a random place that all share; summed in flight",
    "Vogels et al. 2019 (PowerSGD, arXiv 1905.13727), Appendix G, RandomBlockReducer of the authors' code",
    kParameters, make};

}  // namespace traincast
