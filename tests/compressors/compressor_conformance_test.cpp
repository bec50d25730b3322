// What every method of the catalog promises, whatever it does inside.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <set>

#include "tests/support/compressor_harness.hpp"

namespace traincast::testing {
namespace {

using ::testing::Each;
using Error = ErrorRule::Error;

// One line or more for every entry of the catalog.
const char* const kExamples[] = {
    R"({"name": "none"})",
    R"({"name": "none", "precision": "bf16"})",
    R"({"name": "topk", "density": 0.4})",
    R"({"name": "topk", "density": 0.01})",
    R"({"name": "topk", "density": 0.1, "transport": "sparse_all_reduce"})",
    R"({"name": "scalecom", "rate": 5})",
    R"({"name": "scalecom", "rate": 100, "index": "packed", "beta": 0.3})",
    R"({"name": "scalecom", "rate": 7, "selection": "exact"})",
    R"({"name": "powersgd", "rank": 1})",
    R"({"name": "powersgd", "rank": 4, "warm_start": false})",
};

std::string name_of(const char* json) { return Json::parse(json, "example").at("name").text(); }

TEST(CompressorConformance, CoversEveryEntryOfTheCatalog) {
  std::set<std::string> covered;
  for (const char* json : kExamples) covered.insert(name_of(json));
  for (const std::string& name : compressor_catalog().names())
    EXPECT_TRUE(covered.contains(name)) << "kExamples of " << __FILE__ << " has no line for '" << name << "'";
}

class Method : public ::testing::TestWithParam<const char*> {};
INSTANTIATE_TEST_SUITE_P(Compressor, Method, ::testing::ValuesIn(kExamples), [](const auto& example) {
  return name_of(example.param) + "_" + std::to_string(example.index);
});

const std::vector<std::vector<std::int64_t>> kShapes = {{},      {0},     {1},       {3},         {1023},
                                                        {997},   {0, 4},  {1, 1},    {33, 31},    {1, 13},
                                                        {13, 1}, {7, 11}, {4, 2, 3}, {5, 3, 3, 3}};
constexpr std::uint32_t kGroups[] = {1, 2, 3, 8};

double largest_of(const Vectors& vectors) {
  double top = 0;
  for (const Vector& vector : vectors)
    for (float value : vector) top = std::max(top, std::fabs(static_cast<double>(value)));
  return top;
}

/// How far rounding may take an average from the mean of what was kept: sums in bf16 lose half of 2⁻⁷ at most
/// with each addition, factors of matrices a few floats' worth.
double tolerance(const std::vector<Phase>& phases, std::uint32_t learners) {
  bool factors = false;
  for (const Phase& phase : phases) {
    if (phase.op && phase.op->element == Element::bf16) return learners * std::ldexp(1.0, -8);
    for (const Work& work : phase.work) factors = factors || work.primitive == Primitive::gemm;
  }
  return factors ? 1e-5 : 1e-6;
}

TEST_P(Method, AveragesWhatLearnersKept) {
  if (!make_compressor(GetParam())->averages_contributions()) return;
  for (const auto& shape : kShapes)
    for (std::uint32_t learners : kGroups) {
      Bucket unit = one_tensor(shape);
      auto gradients = random_gradients(learners, unit.numel());
      auto compressor = make_compressor(GetParam());
      std::vector<LearnerId> ids(learners);
      std::iota(ids.begin(), ids.end(), LearnerId{0});
      Group group(learners);
      KeptContributions contributions(gradients);
      Vector average(unit.numel(), std::numeric_limits<float>::quiet_NaN());
      compressor->aggregate({.index = 0, .learners = ids}, unit, GivenGradients(gradients), group,
                            contributions, average);
      ASSERT_EQ(contributions.dense_of().size(), learners) << "every learner reports once";
      double allowed = tolerance(group.phases(), learners) * std::max(1.0, largest_of(gradients));
      for (std::size_t i = 0; i < average.size(); ++i) {
        double mean = 0;
        for (const auto& [learner, kept] : contributions.dense_of())
          mean += static_cast<double>(kept[i]) / learners;
        ASSERT_NEAR(average[i], mean, allowed)
            << "element " << i << " of " << unit.numel() << ", N " << learners;
      }
    }
}

TEST_P(Method, RecordsSoundCollectives) {
  for (const auto& shape : kShapes)
    for (std::uint32_t learners : kGroups) {
      UnitRun run(GetParam(), learners, one_tensor(shape));
      auto result = run.step(random_gradients(learners, one_tensor(shape).numel()));
      std::size_t collectives = 0;
      for (const Phase& phase : result.phases) {
        if (!phase.op) continue;
        ++collectives;
        EXPECT_LE(phase.op->value_bytes, phase.op->contributed(learners));
        if (phase.op->word == Word::all_gather) {
          EXPECT_EQ(phase.op->bytes.size(), learners);
        }
        if (phase.op->word == Word::broadcast) {
          EXPECT_EQ(phase.op->bytes.size(), 1u);
          EXPECT_LT(phase.op->root, learners);
        }
      }
      EXPECT_GE(collectives, 1u) << "a single learner issues its collectives too";
      ASSERT_EQ(result.seconds.size(), result.phases.size());
      for (const PhaseSeconds& seconds : result.seconds)
        for (const auto& each : seconds.each) EXPECT_EQ(each.size(), learners);
    }
}

TEST_P(Method, MakesNothingOfZeros) {
  for (const auto& shape : kShapes) {
    UnitRun run(GetParam(), 3, one_tensor(shape));
    for (int step = 0; step < 3; ++step)
      EXPECT_THAT(run.step(Vectors(3, Vector(one_tensor(shape).numel()))).average, Each(0.0f));
  }
}

TEST_P(Method, SendsOneSpikeOfTheFirstLearner) {
  for (const auto& shape : kShapes) {
    std::uint64_t numel = one_tensor(shape).numel();
    if (numel == 0) continue;
    Vectors gradients(3, Vector(numel));
    gradients[0][numel / 2] = -1024;
    auto average = UnitRun(GetParam(), 3, one_tensor(shape)).step(gradients).average;
    for (std::size_t i = 0; i < numel; ++i)
      ASSERT_NEAR(average[i], i == numel / 2 ? -1024.0 / 3 : 0.0, 1024.0 / 3 * 0.01) << i << " of " << numel;
  }
}

TEST_P(Method, TakesDenormals) {
  for (const auto& shape : kShapes) {
    Vectors gradients(2, Vector(one_tensor(shape).numel(), std::numeric_limits<float>::denorm_min()));
    UnitRun run(GetParam(), 2, one_tensor(shape));
    for (int step = 0; step < 3; ++step)
      for (float value : run.step(gradients).average) ASSERT_LE(std::fabs(value), 1e-30f);
  }
}

TEST_P(Method, GivesTheSameBytesForTheSameSeed) {
  for (const auto& shape : {std::vector<std::int64_t>{997}, {33, 31}}) {
    UnitRun first(GetParam(), 3, one_tensor(shape)), second(GetParam(), 3, one_tensor(shape));
    for (std::uint64_t step = 0; step < 4; ++step) {
      auto gradients = random_gradients(3, one_tensor(shape).numel(), step);
      auto a = first.step(gradients), b = second.step(gradients);
      EXPECT_EQ(a.average, b.average);
      EXPECT_EQ(a.phases, b.phases);
      EXPECT_EQ(first.save(), second.save());
    }
  }
}

TEST_P(Method, ResumesToTheByte) {
  for (const auto& shape : {std::vector<std::int64_t>{97}, {11, 7}})
    for (Error error : {Error::none, Error::local, Error::global}) {
      ErrorRule rule{error, error == Error::local ? 0.5f : 1.0f};
      UnitRun straight(GetParam(), 3, one_tensor(shape), rule);
      std::optional<UnitRun> resumed(std::in_place, GetParam(), 3, one_tensor(shape), rule);
      for (std::uint64_t step = 0; step < 6; ++step) {
        auto gradients = random_gradients(3, one_tensor(shape).numel(), step);
        EXPECT_EQ(straight.step(gradients).average, resumed->step(gradients).average);
        auto saved = resumed->save();
        resumed.emplace(GetParam(), 3, one_tensor(shape), rule);
        resumed->load(saved);
        EXPECT_EQ(resumed->save(), saved);
      }
      EXPECT_EQ(straight.save(), resumed->save());
    }
}

TEST_P(Method, DoesNotDependOnTheOrderInWhichTensorsAreWalked) {
  constexpr std::uint32_t kTensors = 3;
  constexpr std::uint64_t kSteps = 3;
  const std::vector<std::int64_t> shapes[kTensors] = {{17, 5}, {17, 5}, {31}};
  using Results = std::map<std::pair<std::uint32_t, std::uint64_t>, StepResult>;
  auto walk = [&](const std::vector<std::pair<std::uint32_t, std::uint64_t>>& order) {
    std::vector<UnitRun> runs;
    for (std::uint32_t id = 0; id < kTensors; ++id)
      runs.emplace_back(GetParam(), 4, one_tensor(shapes[id], id));
    Results results;
    for (auto [id, step] : order)
      results[{id, step}] = runs[id].step(random_gradients(4, one_tensor(shapes[id]).numel(), step, id));
    return results;
  };
  std::vector<std::pair<std::uint32_t, std::uint64_t>> by_tensor, by_step, backwards;
  for (std::uint32_t id = 0; id < kTensors; ++id)
    for (std::uint64_t step = 0; step < kSteps; ++step) by_tensor.emplace_back(id, step);
  for (std::uint64_t step = 0; step < kSteps; ++step)
    for (std::uint32_t id = 0; id < kTensors; ++id) {
      by_step.emplace_back(id, step);
      backwards.emplace_back(kTensors - 1 - id, step);
    }
  Results reference = walk(by_tensor);
  for (const auto& order : {by_step, backwards}) {
    Results results = walk(order);
    for (const auto& [key, expected] : reference) {
      EXPECT_EQ(results.at(key).average, expected.average);
      EXPECT_EQ(results.at(key).phases, expected.phases);
      EXPECT_EQ(results.at(key).record.union_by_hop, expected.record.union_by_hop);
      EXPECT_EQ(results.at(key).record.support, expected.record.support);
    }
  }
}

// With the plain local error, memory is p less what was sent; entries sent as they are leave exactly nothing.
TEST_P(Method, LosesNothingWithTheLocalError) {
  for (const auto& shape : {std::vector<std::int64_t>{997}, {33, 31}}) {
    std::uint64_t numel = one_tensor(shape).numel();
    UnitRun run(GetParam(), 3, one_tensor(shape), ErrorRule{Error::local, 1});
    // The first step, where p is the gradient, told by the method itself.
    auto gradients = random_gradients(3, numel);
    auto compressor = make_compressor(GetParam());
    std::vector<LearnerId> ids = {0, 1, 2};
    Group group(3);
    KeptContributions contributions(gradients);
    Vector average(numel);
    compressor->aggregate({.index = 0, .learners = ids}, one_tensor(shape), GivenGradients(gradients), group,
                          contributions, average);
    EXPECT_EQ(run.step(gradients).average, average);
    for (LearnerId learner = 0; learner < 3; ++learner) {
      auto memory = run.memory(learner);
      const Vector& kept = contributions.dense_of().at(learner);
      bool verbatim = contributions.indices_of().contains(learner);
      for (std::size_t i = 0; i < numel; ++i) {
        ASSERT_EQ(memory[i], gradients[learner][i] - kept[i]);
        if (verbatim) {
          ASSERT_EQ(memory[i] + kept[i], gradients[learner][i]);
        }
      }
    }
  }
}

}  // namespace
}  // namespace traincast::testing
