// Shapes instead of gradients: the same messages as a real run has, and nothing that would need values.
#include <gtest/gtest.h>

#include "simulator/pass/shape_exchange.hpp"
#include "tests/simulator/run/run_helpers.hpp"

namespace traincast {
namespace {

TEST(Shapes, GiveTheMessagesOfARealRun) {
  std::string trace = write_small_trace("shapes_test", 8, 1);
  TraceReader reader(trace, 1);
  for (const char* method :
       {R"({"name": "none"})", R"({"name": "none", "precision": "bf16"})",
        R"({"name": "topk", "density": 0.02})", R"({"name": "scalecom", "rate": 50, "index": "packed"})",
        R"({"name": "powersgd", "rank": 2})"}) {
    Plan plan = plan_on_trace(trace, R"("steps": 1, "compressor": )" + std::string(method));
    const Scenario& scenario = plan.points[0].scenario;
    ExchangeRecord real = run_compression(scenario, reader, 1);
    ShapePhases known;
    ExchangeRecord shapes = shape_exchange(scenario, reader.manifest().layers, known);
    ASSERT_EQ(real.steps[0].buckets.size(), shapes.steps[0].buckets.size());
    for (std::size_t b = 0; b < real.buckets.size(); ++b) {
      const auto &a = real.steps[0].buckets[b].phases, &s = shapes.steps[0].buckets[b].phases;
      // Error feedback may add a phase of work at the end; what is sent is the same.
      for (std::size_t p = 0; p < s.size(); ++p) EXPECT_EQ(a[p].op, s[p].op) << method << " phase " << p;
    }
    EXPECT_EQ(real.parameters, shapes.parameters);
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
