// Recorded exchanges: written, read back, replayed, and refused where they are not what they should be.
#include "simulator/pass/exchange_file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/files.hpp"
#include "simulator/pass/generated_exchange.hpp"
#include "tests/simulator/run/run_helpers.hpp"

namespace traincast {
namespace {

using ::testing::HasSubstr;

constexpr const char* kTimes = R"("timings": {"name": "given", "forward": "1ms", "backward": "2ms",
    "encode": {"topk": "1ms", "scalecom": "1ms"}, "decode": {"topk": "1ms", "scalecom": "1ms"}})";
constexpr const char* kTopK = R"({"name": "topk", "density": 0.05, "transport": "sparse_all_reduce"})";

const std::string& recorded_trace() {
  static const std::string trace = write_small_trace("exchange_file", 8, 2);
  return trace;
}

/// Runs top-k on a trace and keeps what it sent; the only file in the folder.
std::string recorded(const std::string& trace, const std::filesystem::path& folder,
                     PointReport* point = nullptr) {
  Plan plan = plan_on_trace(trace, R"("steps": 2, "compressor": )" + std::string(kTopK) + ", " + kTimes);
  RunOptions options;
  options.quiet = true;
  options.record = folder;
  RunResult result = run(plan, options);
  if (point) *point = result.report.points[0];
  for (const auto& entry : std::filesystem::directory_iterator(folder))
    if (entry.path().filename().string().starts_with("topk")) return entry.path();
  return "";
}

Plan plan_on(const std::string& file, const std::string& compressor, std::uint32_t learners, unsigned steps) {
  return make_plan(
      Json::parse(R"({"name": "x", "learners": )" + std::to_string(learners) + R"(, "steps": )" +
                      std::to_string(steps) + R"(, "gradients": {"name": "exchange", "path": ")" + file +
                      R"("}, "platform": {"name": "star", "bandwidth": "1Gbps"}, )" + kTimes +
                      R"(, "compressor": )" + compressor + "}",
                  "test"),
      "/x.json", {});
}

std::string failure(const std::function<void()>& f) {
  try {
    f();
  } catch (const InputError& error) {
    return error.what();
  }
  return "nothing was refused";
}

TEST(ExchangeFile, GivesTheNumbersOfTheTraceThatItWasRecordedFrom) {
  ScratchFolder folder;
  PointReport of_trace;
  std::string file = recorded(recorded_trace(), folder.path(), &of_trace);
  ASSERT_NE(file, "");
  RunResult again = quiet_run(plan_on(file, kTopK, 8, 2));
  const PointReport& of_file = again.report.points[0];
  EXPECT_EQ(of_file.step_seconds.mean, of_trace.step_seconds.mean);
  EXPECT_EQ(of_file.bytes_sent_per_learner.mean, of_trace.bytes_sent_per_learner.mean);
  EXPECT_EQ(*of_file.wire_ratio, *of_trace.wire_ratio);
  EXPECT_EQ(of_file.relative_error->mean, of_trace.relative_error->mean);
  EXPECT_EQ(of_file.speedup, of_trace.speedup);
}

TEST(ExchangeFile, ComesBackWhole) {
  ScratchFolder folder;
  std::string file = recorded(recorded_trace(), folder.path());
  RecordedExchange first = read_exchange(file);
  write_exchange(folder / "again", first);
  EXPECT_EQ(read_text_file(folder / "again"), read_text_file(file));
  ASSERT_EQ(first.record.steps.size(), 2u);
  const Op& op = *first.record.steps[1].buckets[0].phases[0].op;
  ASSERT_TRUE(op.supports);
  EXPECT_EQ(op.supports->size(), 8u);
  EXPECT_EQ(first.layers(), small_layers());
}

TEST(ExchangeFile, IsRefusedWhereItEndsEarlyOrHasChanged) {
  ScratchFolder folder;
  std::string whole = read_text_file(recorded(recorded_trace(), folder.path()));
  std::string file = folder / "damaged";
  for (std::size_t length = 0; length < whole.size(); length += 1 + whole.size() / 97) {
    write_text_file(file, whole.substr(0, length));
    EXPECT_THAT(failure([&] { read_exchange(file); }), HasSubstr(file)) << length << " bytes";
  }
  for (std::size_t at = 0; at < whole.size(); at += 1 + whole.size() / 89) {
    std::string changed = whole;
    changed[at] = static_cast<char>(changed[at] ^ 1);
    write_text_file(file, changed);
    EXPECT_THAT(failure([&] { read_exchange(file); }), HasSubstr(file)) << "byte " << at;
  }
}

TEST(ExchangeFile, ServesOnlyWhatItHolds) {
  ScratchFolder folder;
  std::string file = recorded(recorded_trace(), folder.path());
  EXPECT_THAT(failure([&] { quiet_run(plan_on(file, R"({"name": "scalecom", "rate": 50})", 8, 2)); }),
              HasSubstr("the recorded exchange is of {\"compressor\":{\"name\":\"topk\""));
  EXPECT_THAT(failure([&] { quiet_run(plan_on(file, kTopK, 4, 2)); }), HasSubstr("\"learners\":4"));
  EXPECT_THAT(failure([&] { quiet_run(plan_on(file, kTopK, 8, 3)); }),
              HasSubstr("has 2 steps, and the scenario asks for 3"));
  EXPECT_THAT(failure([&] { quiet_run(plan_on(folder / "none", kTopK, 8, 2)); }), HasSubstr("none"));
}

// ---- drawn places

Scenario drawn(std::uint32_t learners, double overlap) {
  Json document =
      Json::parse(R"({"name": "x", "learners": )" + std::to_string(learners) +
                      R"(, "steps": 1, "gradients": {"name": "generated", "shape": [1000], "overlap": )" +
                      std::to_string(overlap) + R"(}, "buckets": "model", "compressor": )" + kTopK + ", " +
                      kTimes + R"(, "platform": {"name": "star", "bandwidth": "1Gbps"}})",
                  "test");
  return make_plan(std::move(document), "/x.json", {}).points[0].scenario;
}

const TensorInfo kThousand{0, "tensor", {1000}, "given"};

TEST(GeneratedExchange, DrawsAsManyPlacesAsTopKSelects) {
  ExchangeRecord record = generated_exchange(drawn(6, 0), {&kThousand, 1}, 0.05, 0);
  const Op& op = *record.steps[0].buckets[0].phases[0].op;
  for (const auto& support : *op.supports) {
    EXPECT_EQ(support.size(), 50u);
    EXPECT_TRUE(std::is_sorted(support.begin(), support.end()));
    EXPECT_LT(support.back(), 1000u);
  }
  EXPECT_EQ(op.contributed(6), 6 * 50 * 8u);
  EXPECT_NE((*op.supports)[0], (*op.supports)[1]);
}

TEST(GeneratedExchange, LearnersHaveTheirShareOfPlacesInCommon) {
  ExchangeRecord all = generated_exchange(drawn(6, 1), {&kThousand, 1}, 0.05, 1);
  EXPECT_EQ(all.steps[0].union_by_hop.back(), 50);
  ExchangeRecord half = generated_exchange(drawn(2, 0.5), {&kThousand, 1}, 0.05, 0.5);
  EXPECT_LE(half.steps[0].union_by_hop.back(), 75);
  EXPECT_GE(half.steps[0].union_by_hop.back(), 50);
}

// 64 learners of 5 % each leave 0.95^64 of the places out; three standard deviations of their number are 17.
TEST(GeneratedExchange, UnitesAsIndependentSupportsDo) {
  ExchangeRecord record = generated_exchange(drawn(64, 0), {&kThousand, 1}, 0.05, 0);
  double expected = 1000 * (1 - std::pow(0.95, 64));
  EXPECT_NEAR(record.steps[0].independent_union, expected, 1e-9 * expected);
  EXPECT_NEAR(record.steps[0].union_by_hop.back(), expected, 17);
}

TEST(GeneratedExchange, SaysThatItIs) {
  Json document = Json::parse(
      R"({"name": "x", "learners": 4, "steps": 1, "gradients": {"name": "generated", "shape": [1000]}, "compressor": )" +
          std::string(kTopK) + ", " + kTimes + R"(, "platform": {"name": "star", "bandwidth": "1Gbps"}})",
      "test");
  RunResult result = quiet_run(make_plan(std::move(document), "/x.json", {}));
  ASSERT_FALSE(result.report.warnings.empty());
  EXPECT_THAT(result.report.warnings[0], HasSubstr("were drawn, not selected from gradients"));
  EXPECT_FALSE(result.report.points[0].relative_error);
  EXPECT_TRUE(result.report.points[0].build_up);
}

}  // namespace
}  // namespace traincast
