// Gradients drawn from the seed: the mixture that they are said to be, and what a run says of them.
#include "simulator/pass/synthetic_gradients.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "simulator/pass/gradients.hpp"
#include "tests/simulator/run/run_helpers.hpp"
#include "tests/support/scratch_folder.hpp"

namespace traincast {
namespace {

Json synthetic_scenario(const std::string& members = "") {
  Json document = Json::parse(R"({
    "name": "test", "learners": 4, "steps": 2, "compressor": {"name": "topk", "density": 0.01},
    "gradients": {"name": "synthetic", "shape": [40000], "shared": 0.36},
    "timings": {"name": "given", "forward": "1ms", "backward": "2ms", "encode": {"topk": "1us"},
                "decode": {"topk": "1us"}},
    "platform": {"name": "star", "bandwidth": "1Gbps", "latency": "5us"}})",
                              "test");
  Json extra = Json::parse("{" + members + "}", "members");
  for (const auto& [key, value] : extra.members()) document[key] = value;
  return document;
}

using Values = std::vector<float>;

struct Drawn {
  explicit Drawn(const std::string& members = "")
      : plan(make_plan(synthetic_scenario(members), "test.json", {})) {
    const Point* points[] = {&plan.points.front()};
    gradients.emplace(points, RunPlace{"test.json", "", 1, true});
  }
  Values operator()(std::size_t step, LearnerId learner) const {
    Values values(gradients->manifest().parameters());
    gradients->trace()->read(step, learner, 0, values);
    return values;
  }
  Plan plan;
  std::optional<Gradients> gradients;
};

double inner(const Values& a, const Values& b) {
  return std::inner_product(a.begin(), a.end(), b.begin(), 0.0) / static_cast<double>(a.size());
}

TEST(SyntheticGradients, AreTheMixtureThatTheCatalogStates) {
  const Drawn drawn(R"("gradients": {"name": "synthetic", "shape": [1000000], "shared": 0.36})");
  const Values one = drawn(0, 0), other = drawn(0, 1), later = drawn(1, 0);
  // c² has no variance: sums over a million places still move by some per cent from draw to draw.
  EXPECT_NEAR(inner(one, one), 1, 0.1);
  EXPECT_NEAR(inner(one, other) / std::sqrt(inner(one, one) * inner(other, other)), 0.36, 0.04)
      << "what learners share";
  EXPECT_NEAR(inner(one, later), 0, 0.04) << "signs are drawn anew in each step";

  Values squares = one;
  for (float& value : squares) value *= value;
  std::ranges::sort(squares, std::greater());
  const double all = std::accumulate(squares.begin(), squares.end(), 0.0);
  const double top = std::accumulate(squares.begin(), squares.begin() + 1000, 0.0);
  EXPECT_NEAR(top / all, 0.2, 0.04) << "the largest 0.1 % of scales have 18 %, of values somewhat more";

  // Scales stay: where a gradient is large in one step, it is large in the next.
  auto large = [](const Values& values) {
    std::vector<std::size_t> places(values.size());
    std::iota(places.begin(), places.end(), std::size_t{0});
    std::ranges::partial_sort(places, places.begin() + 10000, std::greater(),
                              [&](std::size_t i) { return std::abs(values[i]); });
    places.resize(10000);
    std::ranges::sort(places);
    return places;
  };
  std::vector<std::size_t> both;
  std::ranges::set_intersection(large(one), large(later), std::back_inserter(both));
  EXPECT_GT(both.size(), 2500u) << "100 if they were independent";
}

TEST(SyntheticGradients, FollowFromSeedStepAndLearnerAlone) {
  const Drawn drawn, again, seeded("\"seed\": 2");
  const Values last = drawn(1, 3);
  EXPECT_EQ(again(1, 3), last) << "whatever was read before";
  EXPECT_NE(drawn(1, 2), last);
  EXPECT_NE(drawn(0, 3), last);
  EXPECT_NE(seeded(1, 3), last);
}

TEST(SyntheticGradients, AreNeverPresentedAsTrained) {
  ScratchFolder scratch;
  Plan plan = make_plan(synthetic_scenario(), "test.json", {});
  RunOptions options;
  options.quiet = true;
  options.record = scratch / "exchange";
  std::filesystem::create_directories(options.record);
  const RunResult result = run(plan, options);
  using ::testing::Contains;
  using ::testing::HasSubstr;
  EXPECT_THAT(result.report.warnings, Contains(HasSubstr("drawn from the seed, not trained")));
  const Json& source = result.report.traincast.at("gradients").items().front();
  EXPECT_EQ(source.at("source").text(), "synthetic");
  EXPECT_TRUE(source.at("data").at("made").flag());

  // Nor is what was recorded of them.
  std::string kept;
  for (const auto& entry : std::filesystem::directory_iterator(options.record))
    if (entry.path().filename().string().starts_with("topk-")) kept = entry.path();
  Json document = synthetic_scenario();
  document["gradients"] = Json::parse(R"({"name": "exchange"})", "test");
  document["gradients"]["path"] = kept;
  EXPECT_THAT(quiet_run(make_plan(document, "test.json", {})).report.warnings,
              Contains(HasSubstr("drawn from the seed, not trained")));
}

}  // namespace
}  // namespace traincast
