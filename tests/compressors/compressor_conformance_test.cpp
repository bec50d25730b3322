// What every method of the catalog promises, whatever it does inside.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <set>

#include "tests/support/compressor_examples.hpp"
#include "tests/support/compressor_harness.hpp"
#include "tests/support/fake_clock.hpp"

namespace traincast {
namespace {

using ::testing::Each;
using Error = ErrorRule::Error;

TEST(CompressorConformance, CoversEveryEntryOfTheCatalog) {
  std::set<std::string> covered;
  for (const char* json : kMethodExamples) covered.insert(name_of(json));
  for (const std::string& name : compressor_catalog().names())
    EXPECT_TRUE(covered.contains(name))
        << "kMethodExamples of " << __FILE__ << " has no line for '" << name << "'";
}

class Method : public ::testing::TestWithParam<const char*> {};
INSTANTIATE_TEST_SUITE_P(Compressor, Method, ::testing::ValuesIn(kMethodExamples), [](const auto& example) {
  return name_of(example.param) + "_" + std::to_string(example.index);
});

const std::vector<std::vector<std::int64_t>> kShapes = {{},      {0},     {1},       {3},         {1023},
                                                        {997},   {0, 4},  {1, 1},    {33, 31},    {1, 13},
                                                        {13, 1}, {7, 11}, {4, 2, 3}, {5, 3, 3, 3}};
constexpr std::uint32_t kGroups[] = {1, 2, 3, 8};

/// The least number of learners, from this one on, that the method takes: where it wants full nodes, not all
/// do.
std::uint32_t taken(const char* json, std::uint32_t learners) {
  auto method = make_compressor(json);
  for (std::uint32_t more = learners; more < learners + 16; ++more) try {
      method->refuse_learners(more);
      return more;
    } catch (const InputError&) {
    }
  return learners;
}

double largest_of(const Vectors& vectors) {
  double top = 0;
  for (const Vector& vector : vectors)
    for (float value : vector) top = std::max(top, std::fabs(static_cast<double>(value)));
  return top;
}

/// How far rounding may take an average from the mean of what was kept: sums in bf16 lose half of 2⁻⁷ at most
/// with each addition (in fp16, of 2⁻¹⁰), factors of matrices a few floats' worth.
double tolerance(const std::vector<Phase>& phases, std::uint32_t learners) {
  bool factors = false;
  for (const Phase& phase : phases) {
    if (phase.op && phase.op->element == Element::bf16) return learners * std::ldexp(1.0, -8);
    if (phase.op && phase.op->element == Element::fp16) return learners * std::ldexp(1.0, -11);
    for (const Work& work : phase.work) factors = factors || work.primitive == Primitive::gemm;
  }
  return factors ? 1e-5 : 1e-6;
}

TEST_P(Method, AveragesWhatLearnersKept) {
  if (!make_compressor(GetParam())->averages_contributions()) return;
  for (const auto& shape : kShapes)
    for (std::uint32_t learners : kGroups) {
      if (taken(GetParam(), learners) != learners) continue;
      Bucket unit = one_tensor(shape);
      auto gradients = random_gradients(learners, unit.numel());
      auto compressor = make_compressor(GetParam());
      std::vector<LearnerId> ids(learners);
      std::iota(ids.begin(), ids.end(), LearnerId{0});
      Group group(learners);
      KeptContributions contributions(gradients);
      Vector average(unit.numel(), std::numeric_limits<float>::quiet_NaN());
      auto norms = norms_of(gradients);
      compressor->aggregate({.index = 0, .learners = ids, .gradient_norms = norms}, unit,
                            GivenGradients(gradients), group, contributions, average);
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
      if (taken(GetParam(), learners) != learners) continue;
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

// On an accelerator those whose messages change in size with values, or with the places of what is merged on
// the way, wait for the host, and no others do.
TEST_P(Method, SaysWhetherSizesDependOnValues) {
  const std::uint32_t learners = taken(GetParam(), 2);
  const Bucket unit = one_tensor({33, 31});
  auto sizes = [&](const Vectors& gradients) {
    UnitRun run(GetParam(), learners, unit);
    std::vector<Op> all;
    for (int step = 0; step < 3; ++step)
      for (const Phase& phase : run.step(gradients).phases)
        if (phase.op) {
          all.push_back(*phase.op);
          all.back().value_bytes = all.back().root = 0;
        }
    return all;
  };
  const auto some = sizes(random_gradients(learners, unit.numel()));
  const bool vary = some != sizes(random_gradients(learners, unit.numel(), 1)) ||
                    some != sizes(Vectors(learners, Vector(unit.numel())));
  EXPECT_EQ(make_compressor(GetParam())->sizes_depend_on_values(), vary);
}

TEST_P(Method, MakesNothingOfZeros) {
  bool scales = make_compressor(GetParam())->scales();
  for (const auto& shape : kShapes) {
    const std::uint32_t learners = taken(GetParam(), 3);
    UnitRun run(GetParam(), learners, one_tensor(shape));
    for (int step = 0; step < 3; ++step)
      for (float value : run.step(Vectors(learners, Vector(one_tensor(shape).numel()))).average)
        ASSERT_LE(std::fabs(value), scales ? 0.0f : 1.0f);
  }
}

// What was not sent stays in the memory: with it, one spike is neither lost nor doubled.
TEST_P(Method, KeepsOrSendsOneSpikeOfTheFirstLearner) {
  auto properties = make_compressor(GetParam());
  for (const auto& shape : kShapes) {
    std::uint64_t numel = one_tensor(shape).numel();
    if (numel == 0) continue;
    const std::uint32_t learners = taken(GetParam(), 3);
    Vectors gradients(learners, Vector(numel));
    gradients[0][numel / 2] = -1024;
    ErrorRule rule{properties->forbids_memory() ? Error::none : Error::local, 1};
    UnitRun run(GetParam(), learners, one_tensor(shape), rule);
    Vector total = run.step(gradients).average;
    for (float value : total) ASSERT_TRUE(std::isfinite(value));
    if (!properties->averages_contributions() || properties->forbids_memory()) continue;
    for (LearnerId learner = 0; learner < learners; ++learner) {
      auto memory = run.memory(learner);
      for (std::size_t i = 0; i < numel; ++i) total[i] += memory[i] / static_cast<float>(learners);
    }
    for (std::size_t i = 0; i < numel; ++i)
      ASSERT_NEAR(total[i], i == numel / 2 ? -1024.0 / learners : 0.0, 1024.0 / learners * 0.01)
          << i << " of " << numel;
  }
}

TEST_P(Method, TakesDenormals) {
  bool scales = make_compressor(GetParam())->scales();
  for (const auto& shape : kShapes) {
    const std::uint32_t learners = taken(GetParam(), 2);
    Vectors gradients(learners, Vector(one_tensor(shape).numel(), std::numeric_limits<float>::denorm_min()));
    UnitRun run(GetParam(), learners, one_tensor(shape));
    for (int step = 0; step < 3; ++step)
      for (float value : run.step(gradients).average) ASSERT_LE(std::fabs(value), scales ? 1e-30f : 1.0f);
  }
}

/// The largest of |mean| / (deviation / √n) over 16 fixed directions of what the average of a single learner
/// (or of as few as the method takes) has more than the mean gradient, in n steps of the same ones without
/// memory.
double largest_deviation(const char* json) {
  constexpr int kSteps = 400, kDirections = 16;
  constexpr std::uint64_t kElements = 96;
  const std::uint32_t learners = taken(json, 1);
  auto gradients = random_gradients(learners, kElements);
  std::vector<double> mean_gradient(kElements);
  for (const Vector& gradient : gradients)
    for (std::size_t i = 0; i < kElements; ++i)
      mean_gradient[i] += static_cast<double>(gradient[i]) / learners;
  Vectors directions = random_gradients(kDirections, kElements, 1);
  UnitRun run(json, learners, one_tensor({8, 12}), ErrorRule{});
  std::vector<double> sum(kDirections), squares(kDirections);
  for (int step = 0; step < kSteps; ++step) {
    Vector average = run.step(gradients).average;
    for (int d = 0; d < kDirections; ++d) {
      double product = 0;
      for (std::size_t i = 0; i < kElements; ++i)
        product +=
            (static_cast<double>(average[i]) - mean_gradient[i]) * directions[static_cast<std::size_t>(d)][i];
      sum[static_cast<std::size_t>(d)] += product;
      squares[static_cast<std::size_t>(d)] += product * product;
    }
  }
  double largest = 0;
  for (std::size_t d = 0; d < kDirections; ++d) {
    double mean = sum[d] / kSteps, variance = squares[d] / kSteps - mean * mean;
    // Rounding of floats is a bias of its own.
    double noise = std::sqrt(std::max(variance, 0.0) / kSteps) + 1e-6;
    largest = std::max(largest, std::fabs(mean) / noise);
  }
  return largest;
}

// 16 directions of some 20 unbiased methods: normal numbers exceed 6.3 in one of 320 with probability 1e-7,
// the t distribution of 400 samples with less than 1e-6.
TEST_P(Method, IsUnbiasedWhereItSaysSo) {
  auto compressor = make_compressor(GetParam());
  if (!compressor->unbiased()) return;
  EXPECT_LT(largest_deviation(GetParam()), 6.3);
}

TEST(CompressorConformance, FindsABias) {
  EXPECT_GT(largest_deviation(R"({"name": "topk", "density": 0.5})"), 100);
  EXPECT_GT(largest_deviation(R"({"name": "random_k", "density": 0.9})"), 6.3);
  EXPECT_GT(largest_deviation(R"({"name": "terngrad", "clip": 1})"), 6.3);
}

TEST_P(Method, GivesTheSameBytesForTheSameSeed) {
  for (const auto& shape : {std::vector<std::int64_t>{997}, {33, 31}}) {
    const std::uint32_t learners = taken(GetParam(), 3);
    UnitRun first(GetParam(), learners, one_tensor(shape)), second(GetParam(), learners, one_tensor(shape));
    for (std::uint64_t step = 0; step < 4; ++step) {
      auto gradients = random_gradients(learners, one_tensor(shape).numel(), step);
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
      if (error != Error::none && make_compressor(GetParam())->forbids_memory()) continue;
      ErrorRule rule{error, error == Error::local ? 0.5f : 1.0f};
      const std::uint32_t learners = taken(GetParam(), 3);
      UnitRun straight(GetParam(), learners, one_tensor(shape), rule);
      std::optional<UnitRun> resumed(std::in_place, GetParam(), learners, one_tensor(shape), rule);
      for (std::uint64_t step = 0; step < 6; ++step) {
        auto gradients = random_gradients(learners, one_tensor(shape).numel(), step);
        EXPECT_EQ(straight.step(gradients).average, resumed->step(gradients).average);
        auto saved = resumed->save();
        resumed.emplace(GetParam(), learners, one_tensor(shape), rule);
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
  const std::uint32_t learners = taken(GetParam(), 4);
  using Results = std::map<std::pair<std::uint32_t, std::uint64_t>, StepResult>;
  auto walk = [&](const std::vector<std::pair<std::uint32_t, std::uint64_t>>& order) {
    std::vector<UnitRun> runs;
    for (std::uint32_t id = 0; id < kTensors; ++id)
      runs.emplace_back(GetParam(), learners, one_tensor(shapes[id], id));
    Results results;
    for (auto [id, step] : order)
      results[{id, step}] =
          runs[id].step(random_gradients(learners, one_tensor(shapes[id]).numel(), step, id));
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

// Of a clock that stands still nothing takes time.
TEST_P(Method, TimesAllItsWorkByTheGroupsClock) {
  const std::uint32_t learners = taken(GetParam(), 3);
  const Bucket unit = one_tensor({12, 9});
  const Vectors gradients = random_gradients(learners, unit.numel());
  std::vector<LearnerId> ids(learners);
  std::iota(ids.begin(), ids.end(), LearnerId{0});
  for (Memories memories : {Memories::each, Memories::mean}) {
    auto method = make_compressor(GetParam());
    if (memories == Memories::mean && !method->linear()) continue;
    const ErrorRule rule = method->error_rule_for(unit);
    ErrorFeedback feedback(std::move(method), rule, learners, unit.numel(), memories);
    Vector average(unit.numel());
    Group group(learners, learners, FakeClock::seconds);
    const std::vector<double> norms = norms_of(gradients);
    feedback.aggregate({.index = 0, .epoch = 0, .learning_rate = 1, .learners = ids, .gradient_norms = norms},
                       unit, GivenGradients(gradients), group, average);
    for (const PhaseSeconds& phase : group.seconds())
      for (std::size_t stage = 0; stage < 2; ++stage) {
        EXPECT_EQ(phase.once[stage], 0);
        EXPECT_THAT(phase.each[stage], Each(0));
      }
  }
}

// With the plain local error, memory is p less what was sent; entries sent as they are leave exactly nothing.
// (No memory goes around a method that has one of its own or must have none.)
TEST_P(Method, LosesNothingWithTheLocalError) {
  if (make_compressor(GetParam())->forbids_memory()) return;
  for (const auto& shape : {std::vector<std::int64_t>{997}, {33, 31}}) {
    std::uint64_t numel = one_tensor(shape).numel();
    // The first step, where p is the gradient, told by the method itself.
    const std::uint32_t learners = taken(GetParam(), 3);
    auto gradients = random_gradients(learners, numel);
    auto compressor = make_compressor(GetParam());
    std::vector<LearnerId> ids(learners);
    std::iota(ids.begin(), ids.end(), LearnerId{0});
    Group group(learners);
    KeptContributions contributions(gradients);
    Vector average(numel);
    auto norms = norms_of(gradients);
    compressor->aggregate({.index = 0, .learners = ids, .gradient_norms = norms}, one_tensor(shape),
                          GivenGradients(gradients), group, contributions, average);
    UnitRun run(GetParam(), learners, one_tensor(shape), ErrorRule{Error::local, 1});
    EXPECT_EQ(run.step(gradients).average, average);
    for (LearnerId learner = 0; learner < learners; ++learner) {
      auto memory = run.memory(learner);
      const Vector& kept = contributions.dense_of().at(learner);
      bool verbatim = contributions.indices_of().contains(learner);
      for (std::size_t i = 0; i < numel; ++i) {
        ASSERT_EQ(memory[i], gradients[learner][i] - kept[i]);
        if (verbatim) {
          ASSERT_NEAR(memory[i] + kept[i], gradients[learner][i], 1e-6 * (1 + std::fabs(kept[i])));
        }
      }
    }
  }
}

}  // namespace
}  // namespace traincast
