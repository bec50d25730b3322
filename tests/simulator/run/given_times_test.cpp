// Given totals: nothing is lost on the way to buckets and phases.
#include <gtest/gtest.h>

#include <numeric>

#include "tests/simulator/run/run_helpers.hpp"
#include "tests/support/refusal.hpp"

namespace traincast {
namespace {

TEST(GivenTimes, AreChargedWholeAtEveryNumberOfLearners) {
  std::string trace = write_small_trace("given_test", 8, 2);
  RunResult result = quiet_run(plan_on_trace(
      trace,
      "\"steps\": 2, \"buckets\": \"tensor\", \"sweep\": {\"/learners\": [2, 8], " + kFiveMethods + "}"));
  for (const PointReport& p : result.report.points) {
    EXPECT_NEAR(p.compute_seconds.mean, 3.1e-3, 1e-15) << p.label;
    double encode = p.compressor == "topk" ? 300e-6 : p.compressor == "powersgd" ? 400e-6 : 0;
    double decode = p.compressor == "topk" ? 100e-6 : p.compressor == "powersgd" ? 100e-6 : 0;
    if (p.compressor == "scalecom") continue;  // the leader selects, the others do not: below
    EXPECT_NEAR(p.encode_seconds.mean, encode, 1e-12) << p.label;
    EXPECT_NEAR(p.decode_seconds.mean, decode, 1e-12) << p.label;
  }
  for (const PointReport& p : result.report.points)
    if (p.compressor == "scalecom") {
      EXPECT_LE(p.encode_seconds.mean, 200e-6 + 1e-12);
      EXPECT_NEAR(p.decode_seconds.mean, 50e-6, 1e-12);
      EXPECT_GT(p.encode_seconds.mean + p.wait_seconds.mean, 0);
    }
}

TEST(GivenTimes, MustCoverTheMethod) {
  std::string trace = write_small_trace("given_missing_test", 2, 1);
  EXPECT_EQ(refusal([&] {
              quiet_run(plan_on_trace(
                  trace, R"("learners": 2, "steps": 1, "compressor": {"name": "powersgd", "rank": 1},
                "timings": {"name": "given", "forward": "1ms", "backward": "1ms"})"));
            }),
            "test.json:/timings/encode: no duration for 'powersgd'; compute and codec times come from one "
            "source, so "
            "give both");
}

}  // namespace
}  // namespace traincast
