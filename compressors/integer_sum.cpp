#include "compressors/integer_sum.hpp"

#include <algorithm>
#include <string>

#include "compressors/codec.hpp"
#include "compressors/gathered.hpp"

namespace traincast {

namespace {

/// Sums stay exact in the floats that carry them here.
std::uint64_t largest_sum(Element element) {
  return element == Element::int8 ? 127 : element == Element::int16 ? 32767 : std::uint64_t{1} << 24;
}

class IntegerSum final : public Compressor {
 public:
  IntegerSum(std::unique_ptr<const IntegerLevels> levels, std::optional<Element> element, ErrorRule rule,
             std::uint64_t seed)
      : levels_(std::move(levels)), element_(element), rule_(rule), seed_(seed) {}

  Coupling coupling() const override { return Coupling::tensor; }
  bool sizes_follow_from_shape() const override { return true; }
  ErrorRule error_rule() const override { return rule_; }
  bool unbiased() const override { return levels_->unbiased(); }

  void refuse_learners(std::uint32_t learners) const override {
    std::uint64_t sum = levels_->most() * learners, holds = largest_sum(element_of(learners));
    if (sum <= holds) return;
    throw InputError("a sum of " + std::to_string(learners) + " levels of up to " +
                     std::to_string(levels_->most()) + " can reach " + std::to_string(sum) +
                     ", but its integers hold " + std::to_string(holds) +
                     "; the most learners that fit: " + std::to_string(holds / levels_->most()));
  }

  void aggregate(const Step& step, const Bucket& unit, const GradientSource& source, Group& group,
                 Contributions& contributions, std::span<float> average) override {
    const Element element = element_of(group.stands_for());
    refuse_learners(group.stands_for());
    const std::uint64_t numel = unit.numel();
    const UnitDraws draws(seed_, step.index, unit.id);
    std::vector<float> vector(numel), kept(numel);
    float scale = 0;

    group.phase(0);
    group.all_reduce_max({&scale, 1}, {{Primitive::reduction, {numel, 0, 0}}},
                         [&](LearnerId learner, std::span<float> own) {
                           source.read(learner, vector);
                           own[0] = levels_->scale_of(vector);
                         });

    group.phase(1);
    const auto most = static_cast<float>(levels_->most());
    group.all_reduce(element, average, {{Primitive::bit_pack, {numel, 8 * size_of(element), 0}}},
                     [&](LearnerId learner, std::span<float> addend) {
                       source.read(learner, vector);
                       if (scale > 0) levels_->levels(vector, scale, draws.own(learner), addend);
                       if (!contributions.wants_dense()) return;
                       for (std::size_t i = 0; i < numel; ++i) kept[i] = addend[i] / most * scale;
                       contributions.kept(learner, kept);
                     });

    group.phase(2);
    group.once(Stage::decode, {{Primitive::elementwise, {numel, 0, 0}}}, [&] {
      for (float& value : average) value = value / most * scale;
      take_mean(average, group.size());
    });
  }

  void save(Writer&) const override {}
  void load(Reader&) override {}

 private:
  Element element_of(std::uint32_t learners) const {
    return element_ ? *element_ : narrowest_integers(levels_->most() * learners);
  }

  std::unique_ptr<const IntegerLevels> levels_;
  std::optional<Element> element_;
  ErrorRule rule_;
  std::uint64_t seed_;
};

}  // namespace

Element narrowest_integers(std::uint64_t largest) {
  for (Element element : {Element::int8, Element::int16, Element::int32})
    if (largest <= largest_sum(element)) return element;
  throw InputError("a sum of integers can reach " + std::to_string(largest) + ", but the widest hold " +
                   std::to_string(largest_sum(Element::int32)));
}

std::unique_ptr<Compressor> make_integer_sum(std::unique_ptr<const IntegerLevels> levels,
                                             std::optional<Element> element, ErrorRule rule,
                                             std::uint64_t seed) {
  return std::make_unique<IntegerSum>(std::move(levels), element, rule, seed);
}

}  // namespace traincast
