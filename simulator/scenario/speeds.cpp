#include "simulator/scenario/speeds.hpp"

#include <algorithm>

#include "base/exchange.hpp"
#include "base/portable_math.hpp"
#include "base/random.hpp"

namespace traincast {

namespace {

// Streams of the purpose "placement" beside the order of learners, which has the tensor 0.
constexpr std::uint32_t kSpeeds = 1;

RandomStream draws_of(const Parameters& parameters, LearnerId learner) {
  return RandomStream({.seed = static_cast<std::uint64_t>(parameters.count("seed")),
                       .purpose = Purpose::placement,
                       .learner = learner,
                       .tensor = kSpeeds});
}

std::vector<double> equal(const Parameters&, std::uint32_t) { return {}; }

std::vector<double> given(const Parameters& parameters, std::uint32_t learners) {
  std::vector<double> slower;
  const std::vector<std::string> known{"learners", "speed"};
  for (const JsonReader& group : parameters.choices("groups")) {
    group.only(known);
    JsonReader size = group.at("learners"), speed = group.at("speed");
    std::int64_t count = size.integer();
    double value = speed.number();
    if (count < 1 || count > 65536) size.refuse("must lie in [1, 65536], got " + size.shown());
    if (!(value >= 1e-3 && value <= 1e3)) speed.refuse("must lie in [0.001, 1000], got " + speed.shown());
    slower.insert(slower.end(), static_cast<std::size_t>(count), 1 / value);
  }
  slower.resize(learners, 1.0);
  return slower;
}

std::vector<double> uniform(const Parameters& parameters, std::uint32_t learners) {
  const double slowest = parameters.number("slowest");
  std::vector<double> slower;
  for (LearnerId learner = 0; learner < learners; ++learner)
    slower.push_back(1 / (1 - (1 - slowest) * draws_of(parameters, learner).uniform()));
  return slower;
}

std::vector<double> lognormal(const Parameters& parameters, std::uint32_t learners) {
  std::vector<double> slower;
  for (LearnerId learner = 0; learner < learners; ++learner)
    slower.push_back(portable_exp(parameters.number("sigma") * draws_of(parameters, learner).normal()));
  return slower;
}

constexpr Parameter kGroups[] = {
    {"groups", Unit::choices, "", kRequired,
     "of neighbouring learners, from the first on, as in [{\"learners\": 2, \"speed\": 0.5}]; those behind "
     "have 1, and fewer learners are the first of these"},
};
constexpr Parameter kSeed{
    "seed", Unit::count, "[0, inf)", "1",
    "of the draw, apart from the scenario's: training anew does not change who is slow"};
constexpr Parameter kUniform[] = {
    {"slowest", Unit::ratio, "[0.001, 1]", "0.5", "speeds are drawn evenly from here to 1"}, kSeed};
constexpr Parameter kLognormal[] = {
    {"sigma", Unit::ratio, "[0, 3]", "0.2",
     "standard deviation of the logarithm of what a learner takes; half of them are faster than 1"},
    kSeed};

constexpr Entry<MakeSpeeds> kWays[] = {
    {"equal", "all compute as stated", "", {}, equal},
    {"given", "as listed; speed 0.5 takes twice as long for computing and codecs", "", kGroups, given},
    {"uniform", "drawn evenly for each learner", "", kUniform, uniform},
    {"lognormal", "times drawn for each learner from a lognormal distribution", "", kLognormal, lognormal},
};

}  // namespace

const Catalog<MakeSpeeds>& speed_catalog() {
  static constexpr Catalog<MakeSpeeds> catalog("speeds", "distribution of speeds", kWays);
  return catalog;
}

}  // namespace traincast
