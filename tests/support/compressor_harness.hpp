// Runs a compressor of the catalog on given gradients, through the same door as scenarios.
#pragma once

#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <map>
#include <memory>
#include <numeric>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.hpp"
#include "base/random.hpp"
#include "compressors/compressor_catalog.hpp"
#include "compressors/error_feedback.hpp"

namespace traincast {

using Vector = std::vector<float>;
using Vectors = std::vector<Vector>;  ///< of each learner

inline void expect_near(const Vector& actual, const Vector& expected, float within = 1e-5f) {
  EXPECT_THAT(actual, ::testing::Pointwise(::testing::FloatNear(within), expected));
}

/// Of those phases that have one.
inline std::vector<Op> ops_of(const std::vector<Phase>& phases) {
  std::vector<Op> ops;
  for (const Phase& phase : phases)
    if (phase.op) ops.push_back(*phase.op);
  return ops;
}

/// As in make_compressor(R"({"name": "topk", "density": 0.4})").
inline std::unique_ptr<Compressor> make_compressor(std::string_view json, std::uint64_t seed = 1) {
  Json value = Json::parse(json, "test");
  JsonReader reader(value, "test");
  const auto& entry = compressor_catalog().find(reader);
  return entry.make(read_parameters(reader, entry.name, entry.parameters), seed);
}

inline Bucket one_tensor(std::vector<std::int64_t> shape, std::uint32_t id = 0) {
  std::string kind = shape.size() > 1 ? "linear.weight" : "bias";
  return {id, {{id, "tensor" + std::to_string(id), std::move(shape), kind}}};
}

class GivenGradients final : public GradientSource {
 public:
  explicit GivenGradients(const Vectors& gradients) : gradients_(gradients) {}
  void read(LearnerId learner, std::span<float> into) const override {
    std::copy(gradients_.at(learner).begin(), gradients_.at(learner).end(), into.begin());
  }

 private:
  const Vectors& gradients_;
};

/// L2 norms, by learner.
inline std::vector<double> norms_of(const Vectors& gradients) {
  std::vector<double> norms;
  for (const Vector& gradient : gradients) {
    double square = 0;
    for (float value : gradient) square += static_cast<double>(value) * static_cast<double>(value);
    norms.push_back(std::sqrt(square));
  }
  return norms;
}

/// Passes contributions on to nobody, but keeps them as dense vectors.
class KeptContributions final : public Contributions {
 public:
  explicit KeptContributions(const Vectors& sources) : sources_(sources) {}
  void kept(LearnerId learner, std::span<const Index> indices, std::span<const float> values,
            Selection) override {
    Vector& dense = dense_of_[learner];
    dense.assign(sources_[learner].size(), 0.0f);
    for (std::size_t j = 0; j < indices.size(); ++j) dense.at(indices[j]) = values[j];
    indices_of_[learner].assign(indices.begin(), indices.end());
  }
  void kept(LearnerId learner, std::span<const float> dense) override {
    dense_of_[learner].assign(dense.begin(), dense.end());
  }
  void kept_all(LearnerId learner) override { dense_of_[learner] = sources_[learner]; }

  const std::map<LearnerId, Vector>& dense_of() const { return dense_of_; }
  /// Of learners that reported indices.
  const std::map<LearnerId, std::vector<Index>>& indices_of() const { return indices_of_; }

 private:
  const Vectors& sources_;
  std::map<LearnerId, Vector> dense_of_;
  std::map<LearnerId, std::vector<Index>> indices_of_;
};

struct StepResult {
  Vector average;
  ContributionRecord record;
  std::vector<Phase> phases;
  std::vector<PhaseSeconds> seconds;
};

/// One unit of one run; the error rule is the method's own where none is given.
class UnitRun {
 public:
  UnitRun(std::string_view json, std::uint32_t learners, Bucket unit, std::optional<ErrorRule> rule = {},
          std::uint64_t seed = 1, Memories memories = Memories::each)
      : unit_(std::move(unit)), learners_(learners) {
    auto compressor = make_compressor(json, seed);
    ErrorRule chosen = rule.value_or(compressor->error_rule_for(unit_));
    feedback_.emplace(std::move(compressor), chosen, learners, unit_.numel(), memories, seed);
    std::iota(learners_.begin(), learners_.end(), LearnerId{0});
  }

  StepResult step(const Vectors& gradients) {
    StepResult result;
    result.average.assign(unit_.numel(), -1.0f);
    Group group(static_cast<std::uint32_t>(learners_.size()));
    auto norms = norms_of(gradients);
    Step step{
        .index = next_++, .epoch = 0, .learning_rate = 0.1, .learners = learners_, .gradient_norms = norms};
    result.record =
        feedback_->aggregate(step, unit_, GivenGradients(gradients), group, std::span<float>(result.average));
    result.phases = group.phases();
    result.seconds = group.seconds();
    return result;
  }

  Vector memory(LearnerId learner) const {
    auto memory = feedback_->memory(learner);
    return {memory.begin(), memory.end()};
  }

  std::string save() const {
    Writer writer;
    writer.put(next_);
    feedback_->save(writer);
    return writer.bytes();
  }
  void load(std::string_view bytes) {
    Reader reader(bytes);
    next_ = reader.get<std::uint64_t>();
    feedback_->load(reader);
    if (!reader.at_end()) throw InputError("saved state was not read to its end");
  }

 private:
  Bucket unit_;
  std::vector<LearnerId> learners_;
  std::optional<ErrorFeedback> feedback_;
  std::uint64_t next_ = 0;
};

/// N(0, 1) gradients; the same for the same arguments, whatever was drawn before.
inline Vectors random_gradients(std::uint32_t learners, std::uint64_t numel, std::uint64_t step = 0,
                                std::uint32_t tensor = 0) {
  Vectors all(learners, Vector(numel));
  for (LearnerId learner = 0; learner < learners; ++learner) {
    RandomStream random(
        {.seed = 7, .purpose = Purpose::data, .step = step, .learner = learner, .tensor = tensor});
    for (float& value : all[learner]) value = static_cast<float>(random.normal());
  }
  return all;
}

/// Elements of all collectives whose payload is summed.
inline std::uint64_t summed_elements(const std::vector<Phase>& phases) {
  std::uint64_t count = 0;
  for (const Phase& phase : phases)
    if (phase.op) count += phase.op->count;
  return count;
}

}  // namespace traincast
