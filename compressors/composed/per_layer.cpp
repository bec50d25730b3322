// A policy over tensors: each goes to the method of the first rule that it fits.
#include <fnmatch.h>

#include <algorithm>
#include <stdexcept>

#include "compressors/composed/named_method.hpp"
#include "compressors/methods.hpp"

namespace traincast {

namespace {

constexpr Parameter kRuleParameters[] = {
    {"tensors", Unit::word, "", "*", "names that fit, as in \"layer1.*\" (* for any text, ? for a letter)"},
    {"kind", Unit::word, "", "*", "kinds that fit, as in \"conv.*\", \"bias\" or \"norm.weight\""},
    {"at_least", Unit::count, "[0, inf)", "0", "elements of the smallest tensor that fits"},
    {"below", Unit::count, "[0, inf)", "0",
     "elements of the smallest that no longer fits; 0: none is too large"},
    {"dimensions", Unit::counts, "[0, inf)", "[]", "numbers of dimensions that fit; [] for any"},
    {"compressor", Unit::choice, "", kRequired, "the method for these tensors"},
    {"error", Unit::word, "auto|none|local|global", "auto", "its error memory; auto: as its paper does"},
};

class Rule {
 public:
  explicit Rule(NamedMethod method) : method_(std::move(method)), sample_(method_.make(0)) {}
  explicit Rule(const JsonReader& at) : Rule(at, read_parameters(at, "", kRuleParameters)) {}

  bool fits(const TensorInfo& tensor) const {
    auto dimensions = static_cast<std::int64_t>(tensor.shape.size());
    return fnmatch(names_.c_str(), tensor.name.c_str(), 0) == 0 &&
           fnmatch(kinds_.c_str(), tensor.kind.c_str(), 0) == 0 && tensor.numel() >= at_least_ &&
           (below_ == 0 || tensor.numel() < below_) &&
           (dimensions_.empty() ||
            std::find(dimensions_.begin(), dimensions_.end(), dimensions) != dimensions_.end());
  }

  const NamedMethod& method() const { return method_; }
  /// The method before it saw anything, to be asked what it is like.
  const Compressor& like() const { return *sample_; }
  ErrorRule error_rule() const { return overruled(sample_->error_rule()); }
  ErrorRule error_rule(const Bucket& unit) const { return overruled(sample_->error_rule_for(unit)); }

 private:
  Rule(const JsonReader& at, const Parameters& parameters)
      : Rule(read_method(parameters.choice("compressor"))) {
    names_ = parameters.word("tensors");
    kinds_ = parameters.word("kind");
    at_least_ = static_cast<std::uint64_t>(parameters.count("at_least"));
    below_ = static_cast<std::uint64_t>(parameters.count("below"));
    dimensions_ = parameters.counts("dimensions");
    const std::string& error = parameters.word("error");
    if (error == "none") error_ = ErrorRule::Error::none;
    if (error == "local") error_ = ErrorRule::Error::local;
    if (error == "global") error_ = ErrorRule::Error::global;
    if (error_.value_or(ErrorRule::Error::none) != ErrorRule::Error::none && sample_->forbids_memory())
      at.at("error").refuse("'" + std::string(method_.entry->name) +
                            (sample_->remembers()
                                 ? "' has a memory of its own, around which there can be none"
                                 : "' can have none around it") +
                            "; allowed: auto, none");
  }

  ErrorRule overruled(ErrorRule rule) const {
    if (error_) rule.error = *error_;
    return rule;
  }

  std::string names_ = "*", kinds_ = "*";
  std::uint64_t at_least_ = 0, below_ = 0;
  std::vector<std::int64_t> dimensions_;
  NamedMethod method_;
  std::unique_ptr<Compressor> sample_;
  std::optional<ErrorRule::Error> error_;
};

/// A unit's tensors fit one rule, and its method does everything.
class PerLayer final : public Compressor {
 public:
  PerLayer(std::vector<Rule> rules, std::uint64_t seed) : rules_(std::move(rules)), seed_(seed) {}

  Coupling coupling() const override {
    Coupling widest = Coupling::tensor;
    for (const Rule& rule : rules_) widest = std::max(widest, rule.like().coupling());
    return widest;
  }

  /// Of each rule its tensors, cut further as its method sees them; numbered by their first tensors, so that
  /// no two draw the same random numbers.
  std::vector<Bucket> units(const Bucket& bucket) const override {
    std::vector<Bucket> units;
    for (std::size_t r = 0; r < rules_.size(); ++r) {
      Bucket own{bucket.id, {}};
      for (const TensorInfo& tensor : bucket.tensors)
        if (rule_of(tensor) == r) own.tensors.push_back(tensor);
      if (own.tensors.empty()) continue;
      own.id = own.tensors.front().id;
      for (Bucket& unit : rules_[r].like().units(own)) units.push_back(std::move(unit));
    }
    return units;
  }

  /// Of the first rule with a memory, if any has one.
  ErrorRule error_rule() const override {
    for (const Rule& rule : rules_)
      if (rule.error_rule().error != ErrorRule::Error::none) return rule.error_rule();
    return {};
  }
  ErrorRule error_rule_for(const Bucket& unit) const override {
    return rules_[rule_of(unit)].error_rule(unit);
  }

  bool sizes_follow_from_shape() const override { return all(&Compressor::sizes_follow_from_shape); }
  bool sizes_depend_on_values() const override { return any(&Compressor::sizes_depend_on_values); }
  bool averages_contributions() const override { return all(&Compressor::averages_contributions); }
  bool unbiased() const override { return all(&Compressor::unbiased); }
  bool scales() const override { return all(&Compressor::scales); }
  bool needs_gradient_norms() const override { return any(&Compressor::needs_gradient_norms); }
  bool remembers() const override { return any(&Compressor::remembers); }
  bool forbids_memory() const override { return any(&Compressor::forbids_memory); }
  /// Stages of rules come one after another, so that their numbers added up tell them apart.
  std::uint32_t regime(const Step& step) const override {
    std::uint32_t sum = 0;
    for (const Rule& rule : rules_) sum += rule.like().regime(step);
    return sum;
  }
  std::uint32_t node_size() const override {
    std::uint32_t size = 1;
    for (const Rule& rule : rules_) size = joint_node_size(size, rule.like().node_size());
    return size;
  }
  void refuse_learners(std::uint32_t learners) const override {
    for (const Rule& rule : rules_) rule.like().refuse_learners(learners);
  }
  std::span<const float> memory(LearnerId learner) const override {
    return method_ ? method_->memory(learner) : std::span<const float>();
  }

  void aggregate(const Step& step, const Bucket& unit, const GradientSource& source, Group& group,
                 Contributions& contributions, std::span<float> average) override {
    if (!method_) take(rule_of(unit));
    method_->aggregate(step, unit, source, group, contributions, average);
  }

  void save(Writer& writer) const override {
    writer.put<std::uint64_t>(method_ ? rule_ : rules_.size());
    if (method_) method_->save(writer);
  }
  void load(Reader& reader) override {
    auto rule = reader.get<std::uint64_t>();
    if (rule > rules_.size()) throw InputError("saved state is of a rule that this policy lacks");
    method_.reset();
    if (rule == rules_.size()) return;
    take(rule);
    method_->load(reader);
  }

 private:
  bool all(bool (Compressor::*property)() const) const {
    return std::all_of(rules_.begin(), rules_.end(), [&](auto& rule) { return (rule.like().*property)(); });
  }
  bool any(bool (Compressor::*property)() const) const {
    return std::any_of(rules_.begin(), rules_.end(), [&](auto& rule) { return (rule.like().*property)(); });
  }

  /// The last rule fits everything.
  std::size_t rule_of(const TensorInfo& tensor) const {
    auto fits = [&](const Rule& rule) { return rule.fits(tensor); };
    return static_cast<std::size_t>(std::find_if(rules_.begin(), rules_.end(), fits) - rules_.begin());
  }
  std::size_t rule_of(const Bucket& unit) const {
    std::size_t rule = rule_of(unit.tensors.at(0));
    for (const TensorInfo& tensor : unit.tensors)
      if (rule_of(tensor) != rule) throw std::logic_error("a unit's tensors fit different rules");
    return rule;
  }
  void take(std::size_t rule) {
    rule_ = rule;
    method_ = rules_[rule].method().make(seed_);
  }

  std::vector<Rule> rules_;
  std::uint64_t seed_;
  std::size_t rule_ = 0;
  std::unique_ptr<Compressor> method_;
};

constexpr Parameter kParameters[] = {
    {"rules", Unit::choices, "", kRequired,
     "of {tensors, kind, at_least, below, dimensions, compressor, error}: a tensor goes to the first that it "
     "fits"},
    {"otherwise", Unit::choice, "", "none", "the method for tensors that fit no rule"},
};

std::unique_ptr<Compressor> make(const Parameters& parameters, std::uint64_t seed) {
  std::vector<Rule> rules;
  for (const JsonReader& at : parameters.choices("rules")) rules.emplace_back(at);
  rules.emplace_back(read_method(parameters.choice("otherwise")));
  auto policy = std::make_unique<PerLayer>(std::move(rules), seed);
  policy->node_size();  // refuses rules that do not agree
  return policy;
}

}  // namespace

const Entry<MakeCompressor> kPerLayerMethod{
    "per_layer", "a policy: each tensor by the method of the first rule that its name, kind and size fit",
    "as the papers exempt or treat layers: Lin et al. 2018, section 3.3; Chen et al. 2020, section 4; "
    "Vogels et al. 2019, section 3",
    kParameters, make};

}  // namespace traincast
