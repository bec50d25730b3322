// Timings files: measured once, they make a report reproducible to the byte.
#include "simulator/pass/timings.hpp"

#include <gtest/gtest.h>

#include "base/files.hpp"
#include "tests/simulator/run/run_helpers.hpp"
#include "tests/support/refusal.hpp"

namespace traincast {
namespace {

class TimingsFile : public testing::Test {
 protected:
  static void SetUpTestSuite() { trace_ = write_small_trace("timings_test", 8, 3); }
  static Plan plan() {
    return plan_on_trace(
        trace_, "\"timings\": \"measured\", \"sweep\": {\"/learners\": [4, 8], " + kFiveMethods + "}");
  }
  static std::string trace_;
};
std::string TimingsFile::trace_;

TEST_F(TimingsFile, ReproducesTheRunThatWroteItWhateverTheThreads) {
  ScratchFolder scratch;
  RunResult first = quiet_run(plan());
  RunOptions options;
  options.quiet = true;
  options.timings_file = scratch / "timings.json";
  write_text_file(*options.timings_file, first.timings.dump());
  for (unsigned threads : {1u, 2u}) {
    options.threads = threads;
    RunResult again = run(plan(), options);
    EXPECT_EQ(to_json(again.report).at("points").dump(), to_json(first.report).at("points").dump());
    EXPECT_TRUE(again.timings.is_null());
  }
}

TEST_F(TimingsFile, MeasuresPositiveTimesForWhatEncodes) {
  RunResult result = quiet_run(plan());
  for (const PointReport& p : result.report.points)
    if (p.compressor != "none" || p.precision == "bf16") {
      EXPECT_GT(p.encode_seconds.mean, 0) << p.label;
      EXPECT_GT(p.decode_seconds.mean, 0) << p.label;
    } else {
      EXPECT_EQ(p.encode_seconds.mean + p.decode_seconds.mean, 0)
          << "plain fp32 leaves the gradient where it is";
    }
}

TEST_F(TimingsFile, IsRefusedWhereItLacksAMethodOrIsBroken) {
  ScratchFolder scratch;
  std::string path = scratch / "broken.json";
  auto with_file = [&](const std::string& text) {
    write_text_file(path, text);
    return refusal([&] {
      RunOptions options;
      options.quiet = true;
      options.timings_file = path;
      run(plan(), options);
    });
  };
  EXPECT_THAT(with_file("{"), testing::StartsWith(path + ": not JSON"));
  EXPECT_EQ(with_file(R"({"format": 2, "compute": [], "codec": []})"),
            path + ":/format: only format 1 is known, got 2");
  EXPECT_THAT(with_file(R"({"format": 1, "compute": [], "codec": []})"),
              testing::StartsWith(path + ": has no compute times of this workload"));
  EXPECT_EQ(
      with_file(
          R"({"format": 1, "compute": [{"seconds": {"forward": -1, "ready": [], "optimizer": 0}}], "codec": []})"),
      path + ":/compute/0/seconds/forward: must be seconds, zero or more, got -1");
  Json whole = quiet_run(plan()).timings;
  whole["codec"] = Json::Array{};
  EXPECT_THAT(with_file(whole.dump()), testing::HasSubstr("has no times of {\"name\":\"none\""));
}

// Stages of a policy have times of their own; sizes of messages are told apart.
TEST_F(TimingsFile, KnowsWarmUpsFromWhatComesAfter) {
  Plan warm = plan_on_trace(trace_, R"("timings": "measured", "compressor": {"name": "by_step", "stages": [
      {"compressor": "none"}, {"from": 1, "compressor": {"name": "topk", "density": 0.1}}]},
      "error_feedback": {"units": "updates", "memory": "bf16", "momentum": 0.9})");
  RunResult first = quiet_run(warm);
  const PointReport& p = first.report.points[0];
  EXPECT_EQ(p.warm_up_steps, 1u);
  EXPECT_EQ(*p.warm_up_wire_ratio, 1);
  EXPECT_NEAR(*p.wire_ratio, 5, 0.1) << "one entry of ten, eight bytes each";
  EXPECT_GT(*p.wire_ratio, 5);
  RunOptions options;
  options.quiet = true;
  ScratchFolder scratch;
  options.timings_file = scratch / "timings.json";
  write_text_file(*options.timings_file, first.timings.dump());
  EXPECT_EQ(to_json(run(warm, options).report).at("points").dump(),
            to_json(first.report).at("points").dump());
  Json cut = first.timings;
  for (Json& codec : cut["codec"].items())
    if (codec.find("later")) codec["later"] = Json::Array{};
  write_text_file(*options.timings_file, cut.dump());
  EXPECT_THAT(refusal([&] { run(warm, options); }),
              testing::HasSubstr("have other buckets or phases than this run"));
}

}  // namespace
}  // namespace traincast
