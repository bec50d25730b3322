// A policy over steps: warm-ups, and rates that change in the course of training.
#include <algorithm>

#include "compressors/composed/named_method.hpp"
#include "compressors/methods.hpp"

namespace traincast {

namespace {

struct Stage {
  std::uint64_t from = 0;  ///< its first step
  std::unique_ptr<Compressor> method;
};

/// The method of the step's stage does everything; the error memory, that of the last stage's method, goes on
/// from stage to stage.
class ByStep final : public Compressor {
 public:
  explicit ByStep(std::vector<Stage> stages) : stages_(std::move(stages)) {}

  Coupling coupling() const override { return stages_.back().method->coupling(); }
  std::vector<Bucket> units(const Bucket& bucket) const override {
    return stages_.back().method->units(bucket);
  }
  ErrorRule error_rule() const override { return stages_.back().method->error_rule(); }
  ErrorRule error_rule_for(const Bucket& unit) const override {
    return stages_.back().method->error_rule_for(unit);
  }
  /// None of these numbers ever falls, so that their sum tells apart what any of them does.
  std::uint32_t regime(const Step& step) const override {
    std::uint32_t sum = stage_at(step);
    for (const Stage& stage : stages_) sum += stage.method->regime(step);
    return sum;
  }

  bool sizes_follow_from_shape() const override {
    return stages_.size() == 1 && stages_.front().method->sizes_follow_from_shape();
  }
  bool sizes_depend_on_values() const override { return any(&Compressor::sizes_depend_on_values); }
  bool averages_contributions() const override { return all(&Compressor::averages_contributions); }
  bool unbiased() const override { return all(&Compressor::unbiased); }
  bool scales() const override { return all(&Compressor::scales); }
  bool needs_gradient_norms() const override { return any(&Compressor::needs_gradient_norms); }
  bool remembers() const override { return any(&Compressor::remembers); }
  bool forbids_memory() const override { return any(&Compressor::forbids_memory); }
  std::uint32_t node_size() const override {
    std::uint32_t size = 1;
    for (const Stage& stage : stages_) size = joint_node_size(size, stage.method->node_size());
    return size;
  }
  void refuse_learners(std::uint32_t learners) const override {
    for (const Stage& stage : stages_) stage.method->refuse_learners(learners);
  }
  std::span<const float> memory(LearnerId learner) const override {
    return stages_[last_].method->memory(learner);
  }

  void aggregate(const Step& step, const Bucket& unit, const GradientSource& source, Group& group,
                 Contributions& contributions, std::span<float> average) override {
    last_ = stage_at(step);
    stages_[last_].method->aggregate(step, unit, source, group, contributions, average);
  }

  void save(Writer& writer) const override {
    writer.put(last_);
    for (const Stage& stage : stages_) stage.method->save(writer);
  }
  void load(Reader& reader) override {
    last_ = reader.get<std::uint32_t>();
    if (last_ >= stages_.size()) throw InputError("saved state is of a stage that this policy lacks");
    for (Stage& stage : stages_) stage.method->load(reader);
  }

 private:
  bool all(bool (Compressor::*property)() const) const {
    return std::all_of(stages_.begin(), stages_.end(),
                       [&](auto& stage) { return (*stage.method.*property)(); });
  }
  bool any(bool (Compressor::*property)() const) const {
    return std::any_of(stages_.begin(), stages_.end(),
                       [&](auto& stage) { return (*stage.method.*property)(); });
  }
  std::uint32_t stage_at(const Step& step) const {
    auto later = std::find_if(stages_.begin() + 1, stages_.end(),
                              [&](auto& stage) { return stage.from > step.index; });
    return static_cast<std::uint32_t>(later - stages_.begin() - 1);
  }

  std::vector<Stage> stages_;
  std::uint32_t last_ = 0;  // of the step before
};

constexpr Parameter kStageParameters[] = {
    {"from", Unit::count, "[0, inf)", "0", "its first step, counted from the first step of training"},
    {"compressor", Unit::choice, "", kRequired, "the method from there on"},
};
constexpr Parameter kParameters[] = {
    {"stages", Unit::choices, "", kRequired,
     "of {from, compressor}, the first from step 0; the error memory is the last method's and goes on from "
     "stage to stage"},
};

/// Stages see the same units; a dense one can be handed any. A policy over tensors cuts buckets by its rules,
/// so that it fits others only where all see single tensors.
void refuse_what_does_not_fit(const JsonReader& at, const NamedMethod& stage, const NamedMethod& last) {
  if (stage.entry->name == kNoneMethod.name) return;
  const auto one = stage.make(0), other = last.make(0);
  if (one->coupling() != other->coupling())
    at.refuse("sees tensors where the last stage's method sees buckets, or the other way round");
  if (one->remembers() != other->remembers())
    at.refuse("has a memory of its own where the last stage's method has none, or the other way round");
  if (one->forbids_memory() && other->error_rule().error != ErrorRule::Error::none)
    at.refuse(
        "can have no error memory around it, and that of the last stage's method is kept from step 0 on");
  const bool policy = stage.entry->name == kPerLayerMethod.name || last.entry->name == kPerLayerMethod.name;
  if (policy && one->coupling() != Coupling::tensor)
    at.refuse(
        "stands beside 'per_layer' with methods that see buckets, which each stage would cut differently; "
        "give the rules of one 'per_layer' methods that change by step");
  if (policy && one->remembers())
    at.refuse(
        "stands beside 'per_layer' with methods that have memories of their own; give the rules of one "
        "'per_layer' methods that change by step");
}

std::unique_ptr<Compressor> make(const Parameters& parameters, std::uint64_t seed) {
  std::vector<Stage> stages;
  std::vector<JsonReader> written = parameters.choices("stages");
  if (written.empty()) throw InputError("'stages' must have one stage or more");
  std::vector<NamedMethod> methods;
  for (const JsonReader& at : written) {
    Parameters stage = read_parameters(at, "", kStageParameters);
    NamedMethod method = read_method(stage.choice("compressor"));
    auto from = static_cast<std::uint64_t>(stage.count("from"));
    if (stages.empty() ? from != 0 : from <= stages.back().from)
      at.refuse(stages.empty() ? "the first stage begins with step 0, got 'from' " + std::to_string(from)
                               : "'from' must be beyond that of the stage before, " +
                                     std::to_string(stages.back().from) + ", got " + std::to_string(from));
    stages.push_back({from, method.make(seed)});
    methods.push_back(std::move(method));
  }
  for (std::size_t i = 0; i + 1 < stages.size(); ++i)
    refuse_what_does_not_fit(written[i].at("compressor"), methods[i], methods.back());
  auto policy = std::make_unique<ByStep>(std::move(stages));
  policy->node_size();  // refuses stages that do not agree
  return policy;
}

}  // namespace

const Entry<MakeCompressor> kByStepMethod{
    "by_step", "a policy: one method after another in the course of training, as for a dense warm-up",
    "as warm-ups of the papers: Lin et al. 2018, section 3.3; Vogels et al. 2019 (start_powerSGD_iter of "
    "PyTorch's hook)",
    kParameters, make};

}  // namespace traincast
