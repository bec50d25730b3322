// Gradients that are there once give the same exchanges as a trace, however few of them fit into the memory.
#include "simulator/pass/streamed_pass.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "base/error.hpp"
#include "tests/simulator/run/run_helpers.hpp"

namespace traincast {
namespace {

constexpr std::uint32_t kLearners = 12;

/// A trace as a stream, which counts how often it is gone through.
class Replayed final : public GradientStream {
 public:
  explicit Replayed(const std::string& folder) : trace_(folder, 1) {}
  const Manifest& manifest() const override { return trace_.manifest(); }
  void walk(std::size_t step, const std::function<void(LearnerId, std::span<const float>)>& take) override {
    EXPECT_LE(step, walked_) << "steps are first walked in their order";
    walked_ = std::max(walked_, step + 1);
    ++walks;
    std::vector<float> gradient(manifest().parameters());
    for (LearnerId learner = 0; learner < manifest().learners; ++learner) {
      std::span<float> rest = gradient;
      for (const TensorInfo& layer : manifest().layers) {
        trace_.read(step, learner, layer.id, rest.first(layer.numel()));
        rest = rest.subspan(layer.numel());
      }
      take(learner, gradient);
    }
  }
  ProcessMemory memory() override { return {}; }
  const TraceReader& trace() const { return trace_; }
  std::size_t walks = 0;

 private:
  TraceReader trace_;
  std::size_t walked_ = 0;
};

const std::string& trace_of_three_steps() {
  static const std::string trace = write_small_trace("streamed_pass", kLearners, 3);
  return trace;
}

/// `methods` beside dense runs, at two numbers of learners.
Plan streamed_plan(const std::string& methods) {
  return plan_on_trace(trace_of_three_steps(), R"("learners": 12, "steps": 3, "buckets": "model",
      "timings": {"name": "accelerator"}, "accelerator": "v100",
      "sweep": {"/learners": [5, 12], "/compressor": [
        {"name": "none", "precision": "fp32"}, {"name": "none", "precision": "bf16"}, )" +
                                                   methods + "]}");
}

void expect_same(const ExchangeRecord& a, const ExchangeRecord& b, const std::string& what) {
  ASSERT_EQ(a.steps.size(), b.steps.size()) << what;
  EXPECT_EQ(a.parameters, b.parameters);
  for (std::size_t s = 0; s < a.steps.size(); ++s) {
    const StepRecord &x = a.steps[s], &y = b.steps[s];
    EXPECT_EQ(x.buckets, y.buckets) << what << " step " << s;
    EXPECT_EQ(x.regime, y.regime) << what;
    EXPECT_EQ(x.mean_gradient_square, y.mean_gradient_square) << what;
    EXPECT_EQ(x.error_square, y.error_square) << what;
    EXPECT_EQ(x.mean_input_square, y.mean_input_square) << what;
    EXPECT_EQ(x.residual_square, y.residual_square) << what;
    EXPECT_EQ(x.gradient_square, y.gradient_square) << what;
    EXPECT_EQ(x.memory_square, y.memory_square) << what;
    EXPECT_EQ(x.union_by_hop, y.union_by_hop) << what;
    EXPECT_EQ(x.tensor_bytes, y.tensor_bytes) << what;
  }
}

/// Runs the plan with less and less room, until it is refused; the numbers of rounds that this took.
std::set<std::size_t> rounds_of(const Plan& plan) {
  std::vector<const Scenario*> scenarios;
  for (const Point& point : plan.points) scenarios.push_back(&point.scenario);
  Replayed stream(trace_of_three_steps());
  const std::vector<ExchangeRecord> recorded = run_compressions(scenarios, stream.trace(), 1);
  std::set<std::size_t> taken;
  for (double room = 1e9;; room *= 0.8) {
    std::size_t rounds = 0;
    stream.walks = 0;
    std::vector<ExchangeRecord> streamed;
    try {
      streamed = run_streamed_compressions(scenarios, stream, 2, room,
                                           [&](const StreamedStep& at) { rounds = at.rounds; });
    } catch (const InputError& error) {
      EXPECT_THAT(error.what(), ::testing::AllOf(::testing::HasSubstr("12 learners"),
                                                 ::testing::HasSubstr("need"), ::testing::HasSubstr("bf16")));
      EXPECT_EQ(stream.walks, 0u) << "refused before anything is trained";
      return taken;
    }
    EXPECT_EQ(stream.walks, 3 * rounds) << "each group of tensors costs one walk through all steps";
    if (taken.insert(rounds).second)
      for (std::size_t i = 0; i < streamed.size(); ++i)
        expect_same(recorded[i], streamed[i], scenarios[i]->resolved.at("compressor").dump(-1));
  }
}

TEST(StreamedPass, SendsWhatATraceSendsHoweverFewTensorsFit) {
  EXPECT_EQ(rounds_of(streamed_plan(R"({"name": "topk", "density": 0.02}, {"name": "scalecom", "rate": 50},
      {"name": "powersgd", "rank": 2}, {"name": "dgc", "density": 0.02}, {"name": "qsgd"})")),
            (std::set<std::size_t>{1, 2}))
      << "the largest tensor alone, the others together";
}

TEST(StreamedPass, KeepsTogetherWhatAMethodSeesTogether) {
  EXPECT_EQ(rounds_of(streamed_plan(
                R"({"name": "topk", "density": 0.02}, {"name": "topk", "density": 0.02, "scope": "model"})")),
            (std::set<std::size_t>{1}));
}

}  // namespace
}  // namespace traincast
