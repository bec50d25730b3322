#include "simulator/scenario/speeds.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

namespace traincast {
namespace {

using testing::ElementsAre;

std::vector<double> slower(const std::string& speeds, std::uint32_t learners) {
  Json json = Json::parse(speeds, "speeds");
  JsonReader at(json, "speeds");
  const auto& entry = speed_catalog().find(at);
  return entry.make(read_parameters(at, entry.name, entry.parameters), learners);
}

TEST(Speeds, AreEqualUnlessTheScenarioAsksForMore) { EXPECT_TRUE(slower(R"("equal")", 8).empty()); }

TEST(Speeds, AreGivenToNeighboursFromTheFirstOn) {
  const std::string given = R"({"name": "given", "groups": [{"learners": 2, "speed": 0.5},
                                                            {"learners": 1, "speed": 4}]})";
  EXPECT_THAT(slower(given, 5), ElementsAre(2, 2, 0.25, 1, 1));
  EXPECT_THAT(slower(given, 2), ElementsAre(2, 2)) << "fewer learners are the first of them";
}

TEST(Speeds, AreDrawnEvenlyBetweenTheSlowestAndOne) {
  std::vector<double> times = slower(R"({"name": "uniform", "slowest": 0.25})", 4000);
  std::vector<double> speeds;
  for (double time : times) speeds.push_back(1 / time);
  EXPECT_GE(*std::ranges::min_element(speeds), 0.25 - 1e-12);
  EXPECT_LE(*std::ranges::max_element(speeds), 1);
  // The mean of 4,000 even draws from an interval of 0.75 has a deviation of 0.75 / √(12 · 4000) = 0.0034.
  EXPECT_NEAR(std::accumulate(speeds.begin(), speeds.end(), 0.0) / 4000, 0.625, 4 * 0.0034);
}

TEST(Speeds, HaveALogarithmOfTheDeviationAskedFor) {
  std::vector<double> times = slower(R"({"name": "lognormal", "sigma": 0.5})", 4000);
  double mean = 0, square = 0;
  for (double time : times) {
    mean += std::log(time) / 4000;
    square += std::log(time) * std::log(time) / 4000;
  }
  EXPECT_NEAR(mean, 0, 4 * 0.5 / std::sqrt(4000));
  EXPECT_NEAR(std::sqrt(square), 0.5, 4 * 0.5 / std::sqrt(2 * 4000));
}

TEST(Speeds, OfALearnerDependOnItsNumberAndTheSeedAlone) {
  for (const char* name : {"uniform", "lognormal"}) {
    auto of = [&](const std::string& more) {
      return R"({"name": ")" + std::string(name) + "\"" + more + "}";
    };
    std::vector<double> many = slower(of(""), 64), few = slower(of(""), 8);
    EXPECT_TRUE(std::equal(few.begin(), few.end(), many.begin())) << name;
    EXPECT_NE(slower(of(R"(, "seed": 2)"), 8), few) << name;
  }
}

}  // namespace
}  // namespace traincast
