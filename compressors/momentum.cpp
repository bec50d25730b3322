#include "compressors/momentum.hpp"

#include <algorithm>
#include <optional>
#include <string>

#include "compressors/learner_vectors.hpp"

namespace traincast {

struct Momentum::State final : GradientSource {
  State(MomentumRule the_rule, std::uint32_t learners, std::uint64_t elements)
      : rule(the_rule), numel(elements), momenta(learners, elements) {}

  void read(LearnerId learner, std::span<float> into) const override {
    gradients->read(learner, into);
    if (!moved[learner])
      move(rule, momenta[learner], into);
    else
      tell(rule, momenta[learner], into);
    moved[learner] = true;
  }

  static void tell(const MomentumRule& rule, std::span<const float> m, std::span<float> into) {
    if (rule.kind == MomentumRule::Kind::nesterov)
      for (std::size_t i = 0; i < m.size(); ++i) into[i] += rule.factor * m[i];
    else
      std::copy(m.begin(), m.end(), into.begin());
  }

  MomentumRule rule;
  std::uint64_t numel;
  // Reading moves these, though whoever reads sees a source that stays the same.
  mutable LearnerVectors momenta;
  mutable std::vector<bool> moved;
  const GradientSource* gradients = nullptr;
};

Momentum::Momentum(MomentumRule rule, std::uint32_t learners, std::uint64_t numel)
    : state_(std::make_unique<State>(rule, learners, numel)) {}
Momentum::~Momentum() = default;
Momentum::Momentum(Momentum&&) noexcept = default;

void Momentum::move(const MomentumRule& rule, std::span<float> momentum, std::span<float> gradient) {
  const float f = rule.factor, gain = rule.kind == MomentumRule::Kind::averaged ? 1 - f : 1;
  for (std::size_t i = 0; i < momentum.size(); ++i) momentum[i] = f * momentum[i] + gain * gradient[i];
  State::tell(rule, momentum, gradient);
}

const GradientSource& Momentum::over(const GradientSource& gradients) {
  state_->gradients = &gradients;
  state_->moved.assign(state_->momenta.size(), false);
  return *state_;
}

void Momentum::save(Writer& writer) const {
  const LearnerVectors& momenta = state_->momenta;
  for (LearnerId learner = 0; learner < momenta.size(); ++learner) writer.put_all(momenta[learner]);
}

void Momentum::load(Reader& reader) {
  for (LearnerId learner = 0; learner < state_->momenta.size(); ++learner) {
    auto values = reader.get_all<float>();
    if (values.size() != state_->numel)
      throw InputError("saved momentum holds " + std::to_string(values.size()) + " values, not " +
                       std::to_string(state_->numel));
    std::ranges::copy(values, state_->momenta[learner].begin());
  }
}

namespace {

class WithMomentum final : public Compressor {
 public:
  WithMomentum(std::unique_ptr<Compressor> method, MomentumRule rule)
      : method_(std::move(method)), rule_(rule) {}

  Coupling coupling() const override { return method_->coupling(); }
  bool sizes_follow_from_shape() const override { return method_->sizes_follow_from_shape(); }
  bool sizes_depend_on_values() const override { return method_->sizes_depend_on_values(); }
  ErrorRule error_rule() const override { return {}; }
  bool averages_contributions() const override { return method_->averages_contributions(); }
  bool scales() const override { return method_->scales(); }
  bool remembers() const override { return true; }
  Codec* codec() override { return method_->codec(); }

  void aggregate(const Step& step, const Bucket& unit, const GradientSource& source, Group& group,
                 Contributions& contributions, std::span<float> average) override {
    if (!momentum_) prepare(group.size(), unit.numel());
    group.phase(0);
    group.once(Stage::encode, {{Primitive::elementwise, {unit.numel(), 0, 0}}}, [] {});
    method_->aggregate(step, unit, momentum_->over(source), group, contributions, average);
  }

  void save(Writer& writer) const override {
    writer.put<std::uint32_t>(momentum_ ? learners_ : 0);
    writer.put<std::uint64_t>(numel_);
    if (momentum_) momentum_->save(writer);
    method_->save(writer);
  }
  void load(Reader& reader) override {
    auto learners = reader.get<std::uint32_t>();
    auto numel = reader.get<std::uint64_t>();
    momentum_.reset();
    if (learners > 0) {
      prepare(learners, numel);
      momentum_->load(reader);
    }
    method_->load(reader);
  }

 private:
  void prepare(std::uint32_t learners, std::uint64_t numel) {
    learners_ = learners;
    numel_ = numel;
    momentum_.emplace(rule_, learners, numel);
  }

  std::unique_ptr<Compressor> method_;
  MomentumRule rule_;
  std::uint32_t learners_ = 0;
  std::uint64_t numel_ = 0;
  std::optional<Momentum> momentum_;
};

}  // namespace

std::unique_ptr<Compressor> make_with_momentum(std::unique_ptr<Compressor> method, MomentumRule rule) {
  return std::make_unique<WithMomentum>(std::move(method), rule);
}

}  // namespace traincast
