#include "compressors/error_feedback.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "base/bf16.hpp"
#include "tests/support/compressor_harness.hpp"
#include "tests/support/fake_clock.hpp"

namespace traincast {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using Error = ErrorRule::Error;

/// Runs what a test gives it as its aggregate.
class Scripted final : public Compressor {
 public:
  using Script = std::function<void(const GradientSource&, Group&, Contributions&, std::span<float>)>;
  explicit Scripted(Script script) : script_(std::move(script)) {}
  Coupling coupling() const override { return Coupling::tensor; }
  ErrorRule error_rule() const override { return {}; }
  void aggregate(const Step&, const Bucket&, const GradientSource& source, Group& group,
                 Contributions& contributions, std::span<float> average) override {
    script_(source, group, contributions, average);
  }
  void save(Writer&) const override {}
  void load(Reader&) override {}

 private:
  Script script_;
};

struct Feedback {
  Feedback(ErrorRule rule, std::uint32_t learners, std::uint64_t numel, Scripted::Script script,
           HeldIn held_in = HeldIn::memory)
      : unit(one_tensor({static_cast<std::int64_t>(numel)})),
        learners_(learners),
        feedback(std::make_unique<Scripted>(std::move(script)), rule, learners, numel, Memories::each, 0,
                 held_in) {}

  ContributionRecord step(const Vectors& gradients, double learning_rate = 1) {
    group.emplace(learners_);
    average.assign(unit.numel(), 0.0f);
    return feedback.aggregate({.learning_rate = learning_rate, .learners = {}}, unit,
                              GivenGradients(gradients), *group, average);
  }

  Bucket unit;
  std::uint32_t learners_;
  std::optional<Group> group;
  Vector average;
  ErrorFeedback feedback;
};

Scripted::Script keep_at(std::vector<Index> indices, Selection selection = Selection::own) {
  return [=](const GradientSource& source, Group& group, Contributions& contributions,
             std::span<float> average) {
    group.each(Stage::encode, {}, [&](LearnerId learner) {
      Vector p(average.size()), values;
      source.read(learner, p);
      for (Index i : indices) values.push_back(p[i]);
      contributions.kept(learner, indices, values, selection);
    });
  };
}

// The case is worked out by hand: p = g + memory, the two largest are sent, ties to the lower index.
TEST(ErrorFeedback, SendsTheGoldenTopTwo) {
  const Vectors g = {{0.5f, -1, 2, -0.25f, 0, 1.5f, -3, 0.125f}};
  UnitRun run(R"({"name": "topk", "density": 0.25})", 1, one_tensor({8}));
  EXPECT_THAT(run.step(g).average, ElementsAre(0, 0, 2, 0, 0, 0, -3, 0));
  // p = (1, −2, 2, −0.5, 0, 3, −3, 0.25)
  EXPECT_THAT(run.step(g).average, ElementsAre(0, 0, 0, 0, 0, 3, -3, 0));
  // p = (1.5, −3, 4, −0.75, 0, 1.5, −3, 0.375): of the two threes the lower index
  EXPECT_THAT(run.step(g).average, ElementsAre(0, -3, 4, 0, 0, 0, 0, 0));
  EXPECT_THAT(run.memory(0), ElementsAre(1.5f, 0, 0, -0.75f, 0, 1.5f, -3, 0.375f));
}

// Chen et al. 2020, eq. 5: unselected m + beta·g, selected (1 − beta)·m.
TEST(ErrorFeedback, FiltersTheLocalMemory) {
  Feedback ef({Error::local, 0.25f}, 2, 2, keep_at({1}));
  const Vectors g = {{4, 8}, {-4, 16}};
  ef.step(g);
  EXPECT_THAT(ef.feedback.memory(0), ElementsAre(1, 0));
  EXPECT_THAT(ef.feedback.memory(1), ElementsAre(-1, 0));
  // As if element 1 had memory: load (1, 8) and (−1, 8).
  Writer writer;
  writer.put_all(std::span<const float>(Vector{1, 8}));
  writer.put_all(std::span<const float>(Vector{-1, 8}));
  Reader reader(writer.bytes());
  ef.feedback.load(reader);
  ef.step(g);
  EXPECT_THAT(ef.feedback.memory(0), ElementsAre(2, 6));
  EXPECT_THAT(ef.feedback.memory(1), ElementsAre(-2, 6));
}

TEST(ErrorFeedback, SubtractsTheAverageForTheGlobalError) {
  Feedback ef({Error::global, 1}, 2, 2,
              [](const GradientSource&, Group& group, Contributions&, std::span<float> average) {
                group.phase(2);
                group.once(Stage::decode, {}, [&] { average[0] = 3; });
              });
  const Vectors g = {{4, 1}, {2, 1}};
  ef.step(g);
  EXPECT_THAT(ef.feedback.memory(0), ElementsAre(1, 1));
  EXPECT_THAT(ef.feedback.memory(1), ElementsAre(-1, 1));
  ef.step(g);
  EXPECT_THAT(ef.feedback.memory(0), ElementsAre(2, 2));
  // Charged to every learner as decoding, in the last phase.
  ASSERT_EQ(ef.group->phases().size(), 3u);
  Work update{Primitive::elementwise, {2, 0, 0}};
  update.stage = Stage::decode;
  EXPECT_THAT(ef.group->phases()[2].work, ElementsAre(update));
}

TEST(ErrorFeedback, UpdatesTheGlobalErrorAfterTheLastCollective) {
  Feedback ef({Error::global, 1}, 1, 1,
              [](const GradientSource& source, Group& group, Contributions&, std::span<float> average) {
                group.all_reduce(Element::fp32, average, {},
                                 [&](LearnerId i, std::span<float> out) { source.read(i, out); });
              });
  ef.step({{5}});
  ASSERT_EQ(ef.group->phases().size(), 2u);
  EXPECT_FALSE(ef.group->phases()[1].op);
  EXPECT_EQ(ef.group->phases()[1].work.size(), 1u);
  EXPECT_THAT(ef.feedback.memory(0), ElementsAre(0));
}

TEST(ErrorFeedback, KeepsNothingOfWhatWasSentWhole) {
  for (ErrorRule rule :
       {ErrorRule{Error::local, 1}, ErrorRule{Error::global, 1}, ErrorRule{Error::local, 0.5f}}) {
    Feedback ef(rule, 2, 2,
                [](const GradientSource& source, Group& group, Contributions& contributions,
                   std::span<float> average) {
                  group.all_reduce(Element::fp32, average, {}, [&](LearnerId i, std::span<float> out) {
                    source.read(i, out);
                    contributions.kept_all(i);
                  });
                });
    auto record = ef.step({{1, 2}, {3, 4}});
    EXPECT_THAT(ef.feedback.memory(0), ElementsAre(0, 0));
    EXPECT_THAT(ef.feedback.memory(1), ElementsAre(0, 0));
    EXPECT_THAT(record.union_by_hop, IsEmpty());
    EXPECT_EQ(ef.group->phases().size(), 1u);  // no update, no phase for it
  }
}

TEST(ErrorFeedback, KeepsEverythingOfLearnersThatReportNothing) {
  auto silent = [](const GradientSource&, Group&, Contributions&, std::span<float>) {};
  Feedback plain({Error::local, 1}, 2, 1, silent), filtered({Error::local, 0.5f}, 2, 1, silent);
  for (int step = 0; step < 3; ++step) {
    plain.step({{2}, {4}});
    filtered.step({{2}, {4}});
  }
  EXPECT_THAT(plain.feedback.memory(1), ElementsAre(12));
  EXPECT_THAT(filtered.feedback.memory(1), ElementsAre(6));
}

TEST(ErrorFeedback, ReadsTheSameAgainUntilTheReport) {
  for (float beta : {1.0f, 0.5f}) {
    Feedback ef({Error::local, beta}, 2, 1,
                [](const GradientSource& source, Group&, Contributions& contributions, std::span<float>) {
                  Vector a(1), b(1), again(1);
                  source.read(0, a);
                  source.read(1, b);
                  source.read(0, again);
                  EXPECT_EQ(a, again);
                  contributions.kept(0, a);
                  EXPECT_THROW(source.read(0, a), std::logic_error);
                  EXPECT_THROW(contributions.kept_all(0), std::logic_error);
                });
    for (int step = 0; step < 3; ++step) ef.step({{2}, {4}});
    EXPECT_THAT(ef.feedback.memory(0), ElementsAre(0));
    EXPECT_THAT(ef.feedback.memory(1), ElementsAre(12 * beta));
  }
}

TEST(ErrorFeedback, WithoutARuleStillRecordsSupports) {
  Feedback ef({}, 3, 4, keep_at({1, 3}));
  // Zeros that a learner chose itself are no support: learner 1 has {3} only.
  auto record = ef.step({{1, 1, 1, 1}, {1, 0, 1, 1}, {1, 1, 1, 1}});
  EXPECT_THAT(record.union_by_hop, ElementsAre(2, 2, 2));
  EXPECT_EQ(record.support, 5u);
  EXPECT_THAT(ef.feedback.memory(0), IsEmpty());
  EXPECT_THAT(ef.group->phases()[0].work, IsEmpty());
}

TEST(ErrorFeedback, CountsASharedIndexSetWholeForEveryLearner) {
  Feedback ef({}, 2, 4, keep_at({1, 3}, Selection::shared));
  auto record = ef.step({{0, 0, 0, 0}, {0, 0, 0, 0}});
  EXPECT_THAT(record.union_by_hop, ElementsAre(2, 2));
  EXPECT_EQ(record.support, 4u);
}

TEST(ErrorFeedback, UnitesSupportsHopByHop) {
  const std::vector<std::vector<Index>> sets = {{0, 1}, {1, 2}, {0, 2}, {5}};
  Feedback ef({}, 4, 6,
              [&](const GradientSource&, Group& group, Contributions& contributions, std::span<float>) {
                // Whatever order the reports come in.
                for (LearnerId i : {3u, 1u, 0u, 2u})
                  contributions.kept(i, sets[i], Vector(sets[i].size(), 1.0f), Selection::own);
                group.once(Stage::decode, {}, [] {});
              });
  for (int step = 0; step < 2; ++step) {
    auto record = ef.step(Vectors(4, Vector(6)));
    EXPECT_THAT(record.union_by_hop, ElementsAre(2, 3, 3, 4));
    EXPECT_EQ(record.support, 7u);
  }
}

TEST(ErrorFeedback, SaysWhetherDenseReportsMatter) {
  for (auto [error, wanted] : {std::pair{Error::none, false}, {Error::local, true}, {Error::global, false}}) {
    Feedback ef({error, 1}, 1, 1,
                [wanted](const GradientSource&, Group&, Contributions& contributions, std::span<float>) {
                  EXPECT_EQ(contributions.wants_dense(), wanted);
                });
    ef.step({{1}});
  }
}

TEST(ErrorFeedback, ChargesItsAdditionAndItsUpdateAsEncoding) {
  UnitRun run(R"({"name": "topk", "density": 0.5})", 2, one_tensor({8}));
  auto result = run.step(random_gradients(2, 8));
  EXPECT_THAT(result.phases[0].work,
              ElementsAre(Work{Primitive::elementwise, {8, 0, 0}}, Work{Primitive::topk, {8, 4, 0}},
                          Work{Primitive::scatter, {8, 4, 0}}));
}

// A source that takes long, and work of known length: what is charged is the work alone, whole.
TEST(ErrorFeedback, ChargesTheWorkButNotTheReading) {
  struct Slow final : GradientSource {
    void read(LearnerId, std::span<float> into) const override {
      FakeClock::pass(64);
      std::fill(into.begin(), into.end(), 1.0f);
    }
  } source;
  for (Error error : {Error::none, Error::local}) {
    Bucket unit = one_tensor({4});
    ErrorFeedback feedback(
        std::make_unique<Scripted>([&](const GradientSource& seen, Group& group, Contributions& contributions,
                                       std::span<float> average) {
          group.phase(0);
          group.all_reduce(Element::fp32, average, {}, [&](LearnerId learner, std::span<float> addend) {
            FakeClock::pass(2);
            seen.read(learner, addend);
            FakeClock::pass(16);
            contributions.kept_all(learner);
          });
        }),
        {error, 1}, 2, 4);
    Group group(2, 0, FakeClock::seconds);
    std::vector<float> average(4);
    feedback.aggregate({}, unit, source, group, average);
    EXPECT_THAT(group.seconds()[0].each[0], ElementsAre(18, 18)) << "reading is not work";
  }
}

TEST(ErrorFeedback, RefusesSavedStateOfAnotherSize) {
  UnitRun small(R"({"name": "topk", "density": 0.5})", 2, one_tensor({8}));
  UnitRun large(R"({"name": "topk", "density": 0.5})", 2, one_tensor({9}));
  EXPECT_THROW(large.load(small.save()), InputError);
  EXPECT_THROW(small.load(small.save().substr(0, 40)), InputError);
}

// ---- what a scenario may add to a method's memory

// Mem-SGD (Stich et al. 2018, Algorithm 1): m ← m + ηg − sent, x ← x − sent. With a rate that halves, an
// entry that waited counts for the rate of its own step; in gradients it counts for that of the step that
// sends it.
TEST(ErrorFeedback, KeepsUpdatesOrGradients) {
  auto sends_late = [](bool in_updates) {
    int call = 0;
    ErrorRule rule{Error::local, 1};
    rule.in_updates = in_updates;
    Feedback ef(rule, 1, 1,
                [call](const GradientSource& source, Group& group, Contributions& contributions,
                       std::span<float> average) mutable {
                  group.phase(0);
                  Vector p(1);
                  source.read(0, p);
                  average[0] = ++call == 2 ? p[0] : 0;
                  contributions.kept(0, average);
                });
    const Vectors g = {{3}};
    ef.step(g, 0.5);
    ef.step(g, 0.25);
    return ef.average[0] * 0.25f;  // the update
  };
  EXPECT_EQ(sends_late(true), 3 * 0.5f + 3 * 0.25f);
  EXPECT_EQ(sends_late(false), (3 + 3) * 0.25f);
}

TEST(ErrorFeedback, ShowsMethodsUpdatesWhereTheMemoryIsOfThose) {
  ErrorRule rule{Error::local, 1};
  rule.in_updates = true;
  Vector seen(2);
  Feedback ef(rule, 1, 2,
              [&](const GradientSource& source, Group& group, Contributions& contributions,
                  std::span<float> average) {
                group.phase(0);
                source.read(0, seen);
                average[0] = seen[0];
                contributions.kept(0, average);
              });
  ef.step({{4, 8}}, 0.5);
  EXPECT_THAT(seen, ElementsAre(2, 4));
  EXPECT_THAT(ef.average, ElementsAre(4, 0)) << "in gradients again";
  EXPECT_THAT(ef.feedback.memory(0), ElementsAre(0, 4));
  EXPECT_EQ(ef.feedback.memory_in_gradients({.learning_rate = 0.5, .learners = {}}), 2);
  EXPECT_THROW(ef.step({{4, 8}}, 0), InputError);
}

// A memory in bf16 is rounded so that its expectation is exact: small gradients that rounding to the nearest
// would lose for ever add up.
TEST(ErrorFeedback, RoundsItsMemoryAtRandom) {
  constexpr std::uint64_t kNumel = 4000;
  ErrorRule rule{Error::local, 1};
  rule.in_bf16 = true;
  Feedback ef(rule, 1, kNumel, [](const GradientSource&, Group&, Contributions&, std::span<float>) {});
  Vectors g(1, Vector(kNumel, 1.0f));
  ef.step(g);
  EXPECT_THAT(ef.feedback.memory(0), ::testing::Each(1.0f)) << "a bf16 stays what it is";
  // Beside 1 the next bf16 is 1 + 2⁻⁷; a sixteenth of that goes up once in sixteen times.
  g.assign(1, Vector(kNumel, std::ldexp(1.0f, -11)));
  ef.step(g);
  auto up = static_cast<double>(
      std::count(ef.feedback.memory(0).begin(), ef.feedback.memory(0).end(), 1 + std::ldexp(1.0f, -7)));
  auto stay =
      static_cast<double>(std::count(ef.feedback.memory(0).begin(), ef.feedback.memory(0).end(), 1.0f));
  EXPECT_EQ(up + stay, kNumel);
  // Binomial with p = 1/16: beyond 5 standard deviations once in two million.
  EXPECT_NEAR(up, kNumel / 16.0, 5 * std::sqrt(kNumel * 15.0 / 256));
}

// Memories in bf16 lie beside p: a method that reads all learners first, and only then reports, sees the
// same.
TEST(ErrorFeedback, GivesTheSameInBf16InWhicheverOrderLearnersAreRead) {
  ErrorRule rule{Error::local, 1};
  rule.in_bf16 = true;
  auto average_of = [](Group& group, const GradientSource& source, std::span<float> average) {
    for (LearnerId learner = 0; learner < group.size(); ++learner) {
      Vector p(average.size());
      source.read(learner, p);
      for (std::size_t i = 0; i < p.size(); ++i) average[i] += p[i];
    }
  };
  Scripted::Script all_first = [&](const GradientSource& source, Group& group, Contributions& contributions,
                                   std::span<float> average) {
    average_of(group, source, average);
    keep_at({1})(source, group, contributions, average);
  };
  Scripted::Script at_once = [&](const GradientSource& source, Group& group, Contributions& contributions,
                                 std::span<float> average) {
    keep_at({1})(source, group, contributions, average);
  };
  Feedback first(rule, 3, 5, all_first), once(rule, 3, 5, at_once);
  for (int step = 0; step < 3; ++step) {
    const Vectors g = {{0.1f, 2, 0.3f, -4, 5}, {1, 0.2f, -3, 0.4f, 5}, {0.7f, 0.01f, 3, 4, -0.5f}};
    first.step(g);
    once.step(g);
    for (LearnerId learner = 0; learner < 3; ++learner) {
      const std::span<const float> seen = first.feedback.memory(learner);
      const Vector kept(seen.begin(), seen.end());
      EXPECT_THAT(once.feedback.memory(learner), ::testing::ElementsAreArray(kept));
      EXPECT_TRUE(std::ranges::all_of(kept, [](float value) { return value == round_to_bf16(value); }));
    }
  }
}

TEST(ErrorFeedback, HasTheSameMemoriesInAFile) {
  const std::uint64_t numel = 3 * ScratchFile::page() / sizeof(float) + 5;  // rows do not end at a page's end
  for (float beta : {1.0f, 0.5f}) {
    const ErrorRule rule{Error::local, beta};
    Feedback here(rule, 3, numel, keep_at({1, 3000})),
        there(rule, 3, numel, keep_at({1, 3000}), HeldIn::file);
    for (int step = 0; step < 3; ++step) {
      Vectors g(3, Vector(numel));
      for (std::size_t learner = 0; learner < g.size(); ++learner)
        for (std::size_t i = 0; i < numel; ++i)
          g[learner][i] = static_cast<float>(i % 97) - static_cast<float>(learner * 31 + 7);
      here.step(g);
      there.step(g);
      for (LearnerId learner = 0; learner < 3; ++learner)
        EXPECT_TRUE(std::ranges::equal(here.feedback.memory(learner), there.feedback.memory(learner)));
    }
    Writer writer;
    there.feedback.save(writer);
    Feedback again(rule, 3, numel, keep_at({1}), HeldIn::file);
    Reader reader(writer.bytes());
    again.feedback.load(reader);
    EXPECT_TRUE(std::ranges::equal(again.feedback.memory(2), here.feedback.memory(2)));
  }
}

TEST(ErrorFeedback, MovesMomentaBeforeTheMemoryIsAdded) {
  ErrorRule rule{Error::local, 1};
  rule.momentum_before = MomentumRule{MomentumRule::Kind::heavy_ball, 0.5f};
  Feedback ef(rule, 2, 2, keep_at({1}));
  const Vectors g = {{4, 8}, {-4, 16}};
  ef.step(g);
  EXPECT_THAT(ef.feedback.memory(0), ElementsAre(4, 0));
  ef.step(g);  // momenta (6, 12) and (−6, 24)
  EXPECT_THAT(ef.feedback.memory(0), ElementsAre(10, 0));
  EXPECT_THAT(ef.feedback.memory(1), ElementsAre(-10, 0));
  Writer writer;
  ef.feedback.save(writer);
  Feedback again(rule, 2, 2, keep_at({1}));
  Reader reader(writer.bytes());
  again.feedback.load(reader);
  EXPECT_TRUE(reader.at_end());
  for (Feedback* run : {&ef, &again}) {
    run->step(g);  // momenta (7, 14), (−7, 28)
    EXPECT_THAT(run->feedback.memory(1), ElementsAre(-17, 0));
  }
}

TEST(ErrorFeedback, MovesTheMomentumOfTheAverageAfterItArrived) {
  ErrorRule rule;
  rule.momentum_after = MomentumRule{MomentumRule::Kind::nesterov, 0.5f};
  Feedback ef(rule, 1, 1, [](const GradientSource&, Group& group, Contributions&, std::span<float> average) {
    group.phase(0);
    group.all_reduce(Element::fp32, average, {}, [](LearnerId, std::span<float> addend) { addend[0] = 2; });
  });
  ef.step({{0}});
  EXPECT_EQ(ef.average[0], 2 + 0.5f * 2);
  ef.step({{0}});
  EXPECT_EQ(ef.average[0], 2 + 0.5f * 3);
  ASSERT_EQ(ef.group->phases().size(), 2u) << "after the collective";
  EXPECT_EQ(ef.group->phases()[1].work.at(0).stage, Stage::decode);
}

}  // namespace
}  // namespace traincast
