#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/compressor_examples.hpp"
#include "tests/support/compressor_harness.hpp"
#include "tests/support/refusal.hpp"

namespace traincast {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// Two learners send their largest of four, servers the largest of what they hold; both keep the rest.
// Learners: (4, 0, 1, 0) → 4 at 0; (0, 0, 2, 3) → 3 at 3. Servers: mean (2, 0, 0, 1.5) → 2 at 0, and
// keep 1.5. Then with gradients of zero: 1 at 2 and 2 at 2; mean 1.5 at 2 beside the kept 1.5 at 3: the lower
// place goes.
TEST(TwoSided, KeepsWhatIsLeftOutOnBothSides) {
  UnitRun run(R"({"name": "two_sided", "compressor": {"name": "topk", "density": 0.25}})", 2,
              one_tensor({4}));
  EXPECT_THAT(run.step({{4, 0, 1, 0}, {0, 0, 2, 3}}).average, ElementsAre(2, 0, 0, 0));
  EXPECT_EQ(run.memory(0), (Vector{0, 0, 1, 0}));
  EXPECT_EQ(run.memory(1), (Vector{0, 0, 2, 0}));
  EXPECT_THAT(run.step(Vectors(2, Vector(4))).average, ElementsAre(0, 0, 1.5f, 0));
  EXPECT_THAT(run.step(Vectors(2, Vector(4))).average, ElementsAre(0, 0, 0, 1.5f));
}

TEST(TwoSided, ForgetsAtTheServersWhereAsked) {
  UnitRun run(
      R"({"name": "two_sided", "compressor": {"name": "topk", "density": 0.25}, "server_memory": false})", 2,
      one_tensor({4}));
  run.step({{4, 0, 1, 0}, {0, 0, 2, 3}});
  EXPECT_THAT(run.step(Vectors(2, Vector(4))).average, ElementsAre(0, 0, 1.5f, 0));
  EXPECT_THAT(run.step(Vectors(2, Vector(4))).average, ElementsAre(0, 0, 0, 0));
}

// BytePS's onebit: ⌈64/32⌉ words and a scale up, and the same down, whatever the number of learners.
TEST(TwoSided, SendsAsMuchDownAsUp) {
  for (std::uint32_t learners : {1u, 2u, 8u}) {
    UnitRun run(R"({"name": "two_sided", "compressor": "ef_signsgd"})", learners, one_tensor({64}));
    UnitRun known(R"({"name": "ef_signsgd", "transport": "push_pull"})", learners, one_tensor({64}));
    auto gradients = random_gradients(learners, 64);
    auto result = run.step(gradients);
    const Op& op = *result.phases[0].op;
    EXPECT_EQ(op.word, Word::push_pull);
    EXPECT_EQ(op.bytes, std::vector<Bytes>(learners, 12));
    EXPECT_EQ(op.pulled, 12u);
    EXPECT_EQ(result.average, known.step(gradients).average);
  }
}

TEST(TwoSided, LetsOwnersCompressAgain) {
  UnitRun run(
      R"({"name": "two_sided", "compressor": {"name": "qsgd", "levels": 4}, "transport": "all_to_all"})", 4,
      one_tensor({256}));
  auto phases = run.step(random_gradients(4, 256)).phases;
  EXPECT_EQ(phases[0].op->word, Word::all_to_all);
  EXPECT_EQ(phases[1].op->word, Word::all_gather);
}

// All that a learner is ever given is sent, or stands in one of the two memories.
TEST(TwoSided, LosesNothingWithAnyGatheredMethod) {
  int methods = 0;
  for (const char* json : kMethodExamples) {
    auto method = make_compressor(json);
    if (!method->codec() || method->remembers() || method->coupling() != Coupling::tensor ||
        !method->averages_contributions())
      continue;
    ++methods;
    for (const char* transport : {"push_pull", "all_to_all"}) {
      const std::string both = std::string(R"({"name": "two_sided", "transport": ")") + transport +
                               R"(", "compressor": )" + json + "}";
      UnitRun run(both, 3, one_tensor({9, 13}));
      Vector given(117), applied(117);
      for (std::uint64_t step = 0; step < 3; ++step) {
        auto gradients = random_gradients(3, 117, step);
        auto average = run.step(gradients).average;
        for (std::size_t i = 0; i < 117; ++i) {
          given[i] += (gradients[0][i] + gradients[1][i] + gradients[2][i]) / 3;
          applied[i] += average[i];
        }
      }
      const std::string saved = run.save();
      Reader state(saved);
      state.get<std::uint64_t>();
      Vector left(117);
      for (int learner = 0; learner < 3; ++learner) {
        auto memory = state.get_all<float>();
        for (std::size_t i = 0; i < 117; ++i) left[i] += memory[i] / 3;
      }
      Vector server(117);
      std::memcpy(server.data(), saved.data() + saved.size() - sizeof(float) * 117, sizeof(float) * 117);
      for (std::size_t i = 0; i < 117; ++i)
        ASSERT_NEAR(applied[i] + left[i] + server[i], given[i], 1e-3) << both << " element " << i;
    }
  }
  EXPECT_GE(methods, 15);
}

TEST(TwoSided, RefusesWhatServersCannotDecode) {
  auto refused = [](const std::string& method) {
    return refusal([&] { make_compressor(R"({"name": "two_sided", "compressor": )" + method + "}"); });
  };
  EXPECT_THAT(refused(R"({"name": "powersgd", "rank": 1})"), HasSubstr("not gathered ones"));
  EXPECT_THAT(refused(R"({"name": "onebit_sgd", "transport": "all_to_all"})"),
              HasSubstr("more than the mean of messages already"));
  EXPECT_THAT(refused(R"({"name": "dgc", "density": 0.1})"),
              HasSubstr("'dgc' cannot be compressed at both ends"));
  EXPECT_THAT(refused(R"({"name": "topk", "density": 0.1, "scope": "model"})"),
              HasSubstr("more than one tensor"));
}

}  // namespace
}  // namespace traincast
