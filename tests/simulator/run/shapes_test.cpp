// Shapes instead of gradients: the same messages as a real run has, and nothing that would need values.
#include <gtest/gtest.h>

#include <map>

#include "simulator/pass/shape_exchange.hpp"
#include "tests/simulator/run/run_helpers.hpp"
#include "tests/support/compressor_examples.hpp"

namespace traincast {
namespace {

bool follows_from_shape(const Scenario& scenario) {
  return scenario.compressor.entry->make(scenario.compressor.parameters, scenario.seed)
      ->sizes_follow_from_shape();
}

// Every method of the catalog whose sizes follow from shapes: its messages, its work and that of its error
// feedback, though only one learner of six computed.
TEST(Shapes, GiveTheMessagesAndTheWorkOfARealRun) {
  std::string trace = write_small_trace("shapes_test", 6, 1);
  TraceReader reader(trace, 1);
  std::size_t tried = 0;
  for (const char* method : kMethodExamples) {
    std::string name = Json::parse(method, "example").at("name").text();
    Plan plan =
        plan_on_trace(trace, R"("steps": 1, "learners": 6, "compressor": )" + std::string(method) +
                                 R"(, "timings": {"name": "given", "forward": "1ms", "backward": "1ms",
                                             "encode": {")" +
                                 name + R"(": "1ms"}, "decode": {")" + name + R"(": "1ms"}})");
    const Scenario& scenario = plan.points[0].scenario;
    if (!follows_from_shape(scenario)) continue;
    if (std::string(method).find("variance") != std::string::npos) continue;  // values choose who leads
    ++tried;
    ExchangeRecord real = run_compression(scenario, reader, 1);
    ShapePhases known;
    ExchangeRecord shapes = shape_exchange(scenario, reader.manifest().layers, known);
    ASSERT_EQ(real.steps[0].buckets.size(), shapes.steps[0].buckets.size());
    for (std::size_t b = 0; b < real.buckets.size(); ++b) {
      const auto &a = real.steps[0].buckets[b].phases, &s = shapes.steps[0].buckets[b].phases;
      ASSERT_EQ(a.size(), s.size()) << method;
      for (std::size_t p = 0; p < s.size(); ++p) {
        EXPECT_EQ(a[p].op, s[p].op) << method << " phase " << p;
        EXPECT_EQ(a[p].work, s[p].work) << method << " phase " << p;
      }
    }
    EXPECT_EQ(real.parameters, shapes.parameters);
  }
  EXPECT_GE(tried, 30u);
}

double seconds_of(const Accelerator& accelerator, const BucketExchange& bucket, Stage stage) {
  double sum = 0;
  for (const Phase& phase : bucket.phases)
    for (const Work& work : phase.work)
      if (work.stage == stage) sum += accelerator.seconds(work);
  return sum;
}

// N − 1 more messages take N − 1 times what the second took.
TEST(Shapes, LetDecodingOfGatheredMessagesGrowWithTheLearners) {
  std::string trace = write_small_trace("shapes_growth_test", 2, 1);
  TraceReader reader(trace, 1);
  for (const char* method : {"topk", "qsgd", "sign_norm", "eden"}) {
    std::map<std::uint32_t, double> decode;
    for (std::uint32_t learners : {1, 2, 16}) {
      Json compressor;
      compressor["name"] = method;
      if (std::string(method) == "topk") compressor["density"] = 0.1;
      Plan plan = plan_on_trace(
          trace, R"("steps": 1, "timings": "accelerator", "accelerator": "v100", "learners": )" +
                     std::to_string(learners) + ", \"compressor\": " + compressor.dump(-1));
      ShapePhases known;
      const Scenario& scenario = plan.points[0].scenario;
      ExchangeRecord record = shape_exchange(scenario, reader.manifest().layers, known);
      for (const BucketExchange& bucket : record.steps[0].buckets)
        decode[learners] += seconds_of(*scenario.accelerator, bucket, Stage::decode);
    }
    double message = decode[2] - decode[1];
    EXPECT_GT(message, 0) << method;
    EXPECT_NEAR(decode[16], decode[1] + 15 * message, 1e-12) << method;
  }
}

TEST(Shapes, LeaveErrorsAndBuildUpUndefined) {
  Json document = Json::parse(R"({
    "name": "shapes", "learners": 8, "steps": 1, "gradients": {"name": "shapes", "shape": [100, 50]},
    "timings": {"name": "given", "forward": "1ms", "backward": "2ms", "encode": {"topk": "1ms"}, "decode": {"topk": "1ms"}},
    "compressor": {"name": "topk", "density": 0.1}, "platform": {"name": "star", "bandwidth": "1Gbps"}})",
                              "test");
  RunResult result = quiet_run(make_plan(std::move(document), "test.json", {}));
  const PointReport& p = result.report.points[0];
  EXPECT_FALSE(p.relative_error);
  EXPECT_FALSE(p.contraction);
  EXPECT_FALSE(p.build_up);
  EXPECT_FALSE(p.memory_grows);
  EXPECT_DOUBLE_EQ(*p.wire_ratio, 5000 * 4.0 / (500 * 8));
  EXPECT_DOUBLE_EQ(p.bytes_sent_per_learner.mean, 7 * 500 * 8);
}

}  // namespace
}  // namespace traincast
