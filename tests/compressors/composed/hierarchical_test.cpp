#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "tests/support/compressor_harness.hpp"
#include "tests/support/refusal.hpp"

namespace traincast {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

const Subgroups kWithin{Among::within, 2}, kAcross{Among::across, 2};

Vector mean_of(const Vectors& gradients) {
  Vector mean(gradients[0].size());
  for (const Vector& gradient : gradients)
    for (std::size_t i = 0; i < mean.size(); ++i)
      mean[i] += gradient[i] / static_cast<float>(gradients.size());
  return mean;
}

TEST(Hierarchical, IsTheDenseMeanWithADenseMethodBetweenNodes) {
  for (const auto& shape : {std::vector<std::int64_t>{7}, {5, 3}, {1, 9}, {0}}) {
    UnitRun run(R"({"name": "hierarchical", "node_size": 2, "between": "none"})", 6, one_tensor(shape));
    auto gradients = random_gradients(6, one_tensor(shape).numel());
    EXPECT_THAT(run.step(gradients).average,
                ::testing::Pointwise(::testing::FloatNear(1e-6f), mean_of(gradients)));
  }
}

// HiTopKComm: 100 floats are reduce-scattered over two learners of a node; each of them sends the largest 10
// % of its 50 to its counterparts in the two other nodes, 8 bytes each; the node gathers 50 floats of each.
TEST(Hierarchical, SendsTopKBetweenNodesAndPartsWithinThem) {
  UnitRun run(R"({"name": "hierarchical", "node_size": 2, "between": {"name": "topk", "density": 0.1}})", 6,
              one_tensor({100}));
  auto ops = ops_of(run.step(random_gradients(6, 100)).phases);
  ASSERT_EQ(ops.size(), 3u);
  EXPECT_EQ(ops[0].word, Word::reduce_scatter);
  EXPECT_EQ(ops[0].count, 100u);
  EXPECT_EQ(ops[0].members, kWithin);
  EXPECT_EQ(ops[1].word, Word::all_gather);
  EXPECT_EQ(ops[1].members, kAcross);
  EXPECT_EQ(ops[1].bytes, std::vector<Bytes>(6, 8 * 5));
  EXPECT_EQ(ops[2].word, Word::all_gather);
  EXPECT_EQ(ops[2].members, kWithin);
  EXPECT_EQ(ops[2].bytes, std::vector<Bytes>(6, 4 * 50));
}

// Every place is a run of its own, in which nodes are the learners and their means the gradients.
TEST(Hierarchical, DoesInEachPlaceWhatItsMethodDoesAmongNodes) {
  const char* method = R"({"name": "topk", "density": 0.2})";
  UnitRun run(R"({"name": "hierarchical", "node_size": 2, "between": {"name": "topk", "density": 0.2}})", 4,
              one_tensor({20}));
  std::vector<UnitRun> places;
  for (int place = 0; place < 2; ++place) places.emplace_back(method, 2, one_tensor({10}));
  for (std::uint64_t step = 0; step < 4; ++step) {
    auto gradients = random_gradients(4, 20, step);
    Vectors nodes = {mean_of({gradients[0], gradients[1]}), mean_of({gradients[2], gradients[3]})};
    auto average = run.step(gradients).average;
    for (std::size_t place = 0; place < 2; ++place) {
      Vectors parts;
      for (const Vector& node : nodes) {
        auto begin = node.begin() + static_cast<std::ptrdiff_t>(10 * place);
        parts.emplace_back(begin, begin + 10);
      }
      auto expected = places[place].step(parts).average;
      for (std::size_t i = 0; i < 10; ++i) EXPECT_NEAR(average[10 * place + i], expected[i], 1e-6);
      // A learner shows the memory of its node, whichever part it keeps itself.
      for (LearnerId learner = 0; learner < 4; ++learner) {
        auto memory = run.memory(learner), kept = places[place].memory(learner / 2);
        for (std::size_t i = 0; i < 10; ++i) EXPECT_NEAR(memory[10 * place + i], kept[i], 1e-6);
      }
    }
  }
}

// A matrix of 9 rows over two learners: five rows each, the last of zeros, so that PowerSGD still sees
// matrices.
TEST(Hierarchical, KeepsRowsTogether) {
  UnitRun run(R"({"name": "hierarchical", "node_size": 2, "between": {"name": "powersgd", "rank": 1}})", 4,
              one_tensor({9, 6}));
  auto ops = ops_of(run.step(random_gradients(4, 54)).phases);
  ASSERT_EQ(ops.size(), 4u);
  EXPECT_EQ(ops[0].count, 60u);
  EXPECT_EQ(ops[1].count, 5u);  // P of 5 × 1
  EXPECT_EQ(ops[2].count, 6u);  // Q of 6 × 1
  EXPECT_EQ(ops[1].members, kAcross);
  EXPECT_EQ(ops[3].bytes, std::vector<Bytes>(4, 4 * 30));
}

// Scalecom's leader among two nodes is node 0, then node 1: both of its learners select, each in its part.
TEST(Hierarchical, LetsEveryLearnerOfTheLeadingNodeLead) {
  UnitRun run(R"({"name": "hierarchical", "node_size": 2, "between": {"name": "scalecom", "rate": 5}})", 4,
              one_tensor({40}));
  for (std::uint64_t step = 0; step < 2; ++step) {
    auto phases = run.step(random_gradients(4, 40, step)).phases;
    std::set<LearnerId> leaders;
    for (const Phase& phase : phases) {
      for (const Work& work : phase.work)
        if (work.only) leaders.insert(*work.only);
      if (phase.op && phase.op->word == Word::broadcast) {
        EXPECT_EQ(phase.op->root, step);
      }
    }
    EXPECT_THAT(leaders, ElementsAre(2 * step, 2 * step + 1)) << "step " << step;
  }
}

// Rounds and servers know no sub-groups: those of all places run side by side.
TEST(Hierarchical, RunsRoundsAndServersOfAllPlaces) {
  UnitRun rounds(R"({"name": "hierarchical", "node_size": 2, "between": {"name": "gtopk", "density": 0.2}})",
                 4, one_tensor({40}));
  auto ops = ops_of(rounds.step(random_gradients(4, 40)).phases);
  ASSERT_EQ(ops[1].word, Word::rounds);
  EXPECT_EQ(ops[1].members, Subgroups{});
  for (const auto& round : ops[1].rounds)
    for (const Transfer& transfer : round)
      EXPECT_EQ(transfer.from % 2, transfer.to % 2) << "counterparts only";
  UnitRun servers(R"({"name": "hierarchical", "node_size": 2, "between": "signsgd"})", 4, one_tensor({64}));
  auto pushed = ops_of(servers.step(random_gradients(4, 64)).phases)[1];
  EXPECT_EQ(pushed.word, Word::push_pull);
  EXPECT_EQ(pushed.bytes, std::vector<Bytes>(4, 4));
  EXPECT_EQ(pushed.pulled, 4u);
}

TEST(Hierarchical, RefusesMethodsThatNodesCannotRun) {
  auto refused = [](const std::string& between) {
    return refusal(
        [&] { make_compressor(R"({"name": "hierarchical", "node_size": 2, "between": )" + between + "}"); });
  };
  EXPECT_THAT(refused(R"({"name": "topk", "density": 0.1, "scope": "model"})"),
              HasSubstr("more than the part"));
  EXPECT_THAT(refused(R"({"name": "lsg", "rank": 1})"), HasSubstr("norm of a learner's whole gradient"));
  EXPECT_THAT(refused(R"({"name": "zeropp", "node_size": 2})"), HasSubstr("nodes of its own"));
  EXPECT_THAT(refused(R"({"name": "by_step", "stages": [{"compressor": "none"},
                         {"from": 2, "compressor": {"name": "zeropp", "node_size": 2}}]})"),
              HasSubstr("nodes of its own"));
  EXPECT_THAT(refused(R"({"name": "topk", "density": 2})"),
              HasSubstr("/between/density: must lie in (0, 1]"));
  EXPECT_THAT(refusal([] {
                make_compressor(R"({"name": "per_layer", "rules": [
                    {"dimensions": [1], "compressor": {"name": "zeropp", "node_size": 2}},
                    {"compressor": {"name": "hierarchical", "node_size": 4, "between": "none"}}]})");
              }),
              HasSubstr("must agree on their nodes' size, got 2 and 4"));
  auto method = make_compressor(R"({"name": "hierarchical", "node_size": 8, "between": "none"})");
  EXPECT_EQ(refusal([&] { method->refuse_learners(4); }),
            "needs nodes that are full, got 4 learners in nodes of 8");
  // Two nodes' sum of levels up to 127 does not fit into eight bits.
  auto sums = make_compressor(
      R"({"name": "hierarchical", "node_size": 2, "between": {"name": "qsgd_maxnorm", "bits": 7, "element": "int8"}})");
  EXPECT_NO_THROW(sums->refuse_learners(2));
  EXPECT_THROW(sums->refuse_learners(4), InputError);
}

}  // namespace
}  // namespace traincast
