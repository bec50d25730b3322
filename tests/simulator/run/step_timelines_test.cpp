// What a run keeps for figures: one step of the points with the most learners, and bytes tensor by tensor.
#include <gmock/gmock.h>

#include <cmath>
#include <filesystem>

#include "analysis/figures/step_trace.hpp"
#include "tests/simulator/run/run_helpers.hpp"
#include "tests/support/scratch_folder.hpp"

namespace traincast {
namespace {

class Kept : public testing::Test {
 protected:
  static void SetUpTestSuite() { trace_ = write_small_trace("step_timelines_test", 8, 3); }
  static std::string trace_;
};
std::string Kept::trace_;

TEST_F(Kept, TimelineHasThePointsWithMostLearnersOfEachPlaceAndTheirSteps) {
  ScratchFolder out;
  RunOptions options;
  options.quiet = true;
  options.out = out.path();
  Plan plan = plan_on_trace(trace_,
                            "\"sweep\": {\"/platform/bandwidth\": [\"1Gbps\", \"10Gbps\"], "
                            "\"/learners\": [4, 8], " +
                                kFiveMethods + "}");
  RunResult result = run(plan, options);
  const Json& steps = result.timeline.at("steps");
  ASSERT_EQ(steps.items().size(), 10u) << "five methods at two bandwidths";
  for (const Json& step : steps.items()) {
    EXPECT_EQ(step.at("learners").integer(), 8);
    double nearest = INFINITY;
    for (const PointReport& point : result.report.points)
      if (point.label == step.at("label").text() && point.learners == 8 &&
          point.bandwidth == step.at("bandwidth_bytes_per_second").number())
        nearest = std::abs(point.step_seconds.mean - step.at("step_seconds").number()) -
                  2 * point.step_seconds.deviation;
    EXPECT_LE(nearest, 1e-15) << "a step like the others";
    std::vector<std::int64_t> learners;
    for (const Json& track : step.at("tracks").items()) learners.push_back(track.at("learner").integer());
    for (std::int64_t there : {std::int64_t{0}, std::int64_t{7}, step.at("slowest").integer()})
      EXPECT_THAT(learners, testing::Contains(there));
    EXPECT_LE(learners.size(), 4u);
  }
  EXPECT_TRUE(quiet_run(plan).timeline.is_null()) << "nothing is recorded where nothing is written";
}

TEST_F(Kept, BytesOfTensorsAddUpToTheWireRatio) {
  RunResult result = quiet_run(plan_on_trace(trace_, "\"sweep\": {" + kFiveMethods + "}"));
  for (const PointReport& point : result.report.points) {
    double bytes = 0;
    std::uint64_t parameters = 0;
    ASSERT_EQ(point.layers.size(), 4u) << point.label;
    for (const LayerBytes& layer : point.layers) {
      ASSERT_TRUE(layer.bytes) << point.label;
      bytes += *layer.bytes;
      parameters += layer.parameters;
    }
    EXPECT_EQ(parameters, point.parameters);
    EXPECT_NEAR(4.0 * static_cast<double>(parameters) / bytes, *point.wire_ratio, 1e-12 * *point.wire_ratio);
  }
  // k = ⌊0.02·numel⌋, at least 1, of 8 bytes each, against 4 bytes an element.
  const std::vector<LayerBytes>& topk = result.report.points[2].layers;
  EXPECT_EQ(*topk[0].bytes, 8 * 38.0);
  EXPECT_EQ(*topk[1].bytes, 8 * 1.0);
}

TEST_F(Kept, BytesStayUnknownWhereOneMessageCarriesABucket) {
  RunResult result = quiet_run(plan_on_trace(
      trace_, R"("buckets": "model", "compressor": {"name": "topk", "density": 0.02, "scope": "model"})"));
  EXPECT_TRUE(result.report.points[0].layers.empty());
}

TEST(Trace, StaysSmallAtAThousandLearners) {
  Plan plan = make_plan(Json::parse(R"({"name": "wide", "learners": 1024, "steps": 1,
      "gradients": {"name": "shapes", "shape": [1000000]}, "compressor": "none",
      "timings": {"name": "given", "forward": "1ms", "backward": "2ms"},
      "platform": {"name": "star", "bandwidth": "10Gbps"}})",
                                    "test"),
                        "test.json", {});
  ScratchFolder out;
  RunOptions options;
  options.quiet = true;
  options.out = out.path();
  options.break_evens = false;
  Json timeline = run(plan, options).timeline;
  EXPECT_EQ(timeline.at("steps").items()[0].at("learners").integer(), 1024);
  EXPECT_LT(to_trace({&timeline, 1}).dump(-1).size(), 10'000u);
}

}  // namespace
}  // namespace traincast
