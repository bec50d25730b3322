#include "compressors/sparse/shared_support.hpp"

#include <algorithm>

#include "compressors/gathered.hpp"

namespace traincast {

namespace {

class SharedSupport final : public Compressor {
 public:
  SharedSupport(std::unique_ptr<const SharedSelector> selector, bool unbiased, std::uint64_t seed)
      : selector_(std::move(selector)), unbiased_(unbiased), seed_(seed) {}

  Coupling coupling() const override { return Coupling::tensor; }
  bool sizes_follow_from_shape() const override { return true; }
  bool unbiased() const override { return unbiased_; }
  ErrorRule error_rule() const override {
    return {unbiased_ ? ErrorRule::Error::none : ErrorRule::Error::local, 1};
  }

  void aggregate(const Step& step, const Bucket& unit, const GradientSource& source, Group& group,
                 Contributions& contributions, std::span<float> average) override {
    const std::uint64_t numel = unit.numel(), k = selector_->count(numel);
    const UnitDraws draws(seed_, step.index, unit.id);
    const float gain = unbiased_ && k > 0 ? static_cast<float>(numel) / static_cast<float>(k) : 1;
    std::vector<Index> indices;
    std::vector<float> vector(numel), sum(k);

    group.phase(0);
    group.once(Stage::encode, {{Primitive::elementwise, {k, 0, 0}}},
               [&] { indices = selector_->select(numel, draws.shared()); });
    group.all_reduce(Element::fp32, sum, {selector_->gather_work(numel)},
                     [&](LearnerId learner, std::span<float> addend) {
                       source.read(learner, vector);
                       // Places are far apart: what is read soon is asked for now.
                       constexpr std::size_t kAhead = 24;
                       for (std::size_t j = 0; j < k; ++j) {
                         if (j + kAhead < k) __builtin_prefetch(&vector[indices[j + kAhead]]);
                         addend[j] = gain * vector[indices[j]];
                       }
                       contributions.kept(learner, indices, addend, Selection::shared);
                     });

    group.phase(1);
    group.once(Stage::decode, {{Primitive::elementwise, {numel, 0, 0}}, {Primitive::scatter, {numel, k, 0}}},
               [&] {
                 take_mean(sum, group.size());
                 std::fill(average.begin(), average.end(), 0.0f);
                 for (std::size_t j = 0; j < k; ++j) average[indices[j]] = sum[j];
               });
  }

  void save(Writer&) const override {}
  void load(Reader&) override {}

 private:
  std::unique_ptr<const SharedSelector> selector_;
  bool unbiased_;
  std::uint64_t seed_;
};

}  // namespace

std::unique_ptr<Compressor> make_shared_support(std::unique_ptr<const SharedSelector> selector, bool unbiased,
                                                std::uint64_t seed) {
  return std::make_unique<SharedSupport>(std::move(selector), unbiased, seed);
}

}  // namespace traincast
