#include "simulator/collectives/collective_catalog.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.hpp"

namespace traincast {
namespace {

using testing::HasSubstr;

std::string refusal(const std::string& name, const Collective& collective) {
  try {
    choose_algorithm(name, collective, {});
  } catch (const InputError& error) {
    return error.what();
  }
  return "";
}

TEST(CollectiveCatalog, EveryRowHasASummaryAndASource) {
  for (Word word : kWords)
    for (const EntryInfo& entry : collective_catalog(word).describe()) {
      EXPECT_EQ(entry.kind, "collectives");
      EXPECT_FALSE(entry.summary.empty()) << entry.name;
      EXPECT_FALSE(entry.source.empty()) << entry.name;
      EXPECT_EQ(table_error(entry.parameters), "") << entry.name;
    }
}

TEST(CollectiveCatalog, NamesWhatItKnowsAndWhatIsNear) {
  EXPECT_EQ(refusal("rng", {}),
            "scenario:/collective/all_reduce: unknown all_reduce algorithm 'rng'; did you mean 'ring'?; "
            "known: ring, halving_doubling, binomial_tree, recursive_doubling, bidirectional_ring, "
            "double_binary_tree, hierarchical, torus_2d, multi_ring");
}

TEST(ChooseAlgorithm, NamesWhyOneRefuses) {
  Collective gather{.word = Word::all_gather, .ranks = 6, .bytes = std::vector<Bytes>(6, 1)};
  EXPECT_EQ(
      refusal("recursive_doubling", gather),
      ":/collective/all_gather: 'recursive_doubling' needs a number of ranks that is a power of two, got 6; "
      "'auto' takes one that can");
  EXPECT_EQ(refusal("torus_2d", {.ranks = 7}),
            ":/collective/all_reduce: 'torus_2d' needs a number of ranks that makes rows and columns, got "
            "the prime "
            "7; 'auto' takes one that can");
  EXPECT_EQ(refusal("hierarchical", {.ranks = 6}),
            ":/collective/all_reduce: 'hierarchical' needs nodes of several ranks that are all alike, got "
            "nodes of 1; "
            "'auto' takes one that can");
  EXPECT_EQ(
      refusal("hierarchical", {.ranks = 6, .group = 4}),
      ":/collective/all_reduce: 'hierarchical' needs nodes that are full, got 6 ranks in nodes of 4; 'auto' "
      "takes one that can");
  EXPECT_EQ(refusal("auto", {.word = Word::all_gather, .ranks = 3, .bytes = {1, 2}}),
            "all_gather: 3 message sizes needed, got 2");
  EXPECT_EQ(refusal("auto", {.word = Word::broadcast, .ranks = 3, .bytes = {1}, .root = 3}),
            "broadcast: root must be below 3, got 3");
}

std::string chosen(const Collective& collective, const NetworkEstimate& network) {
  return std::string(choose_algorithm("auto", collective, network).name);
}

TEST(ChooseAlgorithm, TakesTheRingWhereRanksShareALinkAndBytesCount) {
  Collective large{.ranks = 16, .count = 25'000'000};
  EXPECT_EQ(chosen(large, {.latency = 1e-5, .bandwidth = 1e9, .sharing = 8}), "ring");
  EXPECT_EQ(chosen(large, {.latency = 1e-5, .bandwidth = 1e9, .sharing = 1}), "halving_doubling");
}

TEST(ChooseAlgorithm, TakesFewRoundsWhereLatencyCounts) {
  EXPECT_EQ(chosen({.ranks = 64, .count = 10}, {.latency = 1e-3, .bandwidth = 1e9}), "recursive_doubling");
  EXPECT_EQ(chosen({.ranks = 60, .count = 10}, {.latency = 1e-3, .bandwidth = 1e9}), "recursive_doubling");
  EXPECT_EQ(chosen({.ranks = 61, .count = 100'000'000}, {.latency = 1e-5, .bandwidth = 1e9}), "ring");
  EXPECT_EQ(chosen({.ranks = 60, .count = 100'000'000}, {.latency = 1e-5, .bandwidth = 1e9}), "torus_2d");
  Collective gather{.word = Word::all_gather, .ranks = 8, .bytes = std::vector<Bytes>(8, 100)};
  EXPECT_EQ(chosen(gather, {.latency = 1e-3, .bandwidth = 1e9}), "recursive_doubling");
}

TEST(ChooseAlgorithm, TakesTheFirstOfEquals) {
  EXPECT_EQ(chosen({.ranks = 1, .count = 10}, {.latency = 1, .bandwidth = 1}), "ring");
  Collective gather{.word = Word::all_gather, .ranks = 2, .bytes = {100, 7}};
  EXPECT_EQ(chosen(gather, {.latency = 1, .bandwidth = 1}), "ring");
}

// Rounds at distances 1, 2 and 4 move 1/8, 2/8 and 4/8 of 8 s, twice; two ranks share a link from distance 2
// on: 2(3·10 + 1 + 2·2 + 2·4).
TEST(HalvingDoublingEstimate, CountsTheFlowsThatShareALink) {
  Collective collective{.ranks = 8, .element_bytes = 1, .count = 8};
  const auto& entry = choose_algorithm("halving_doubling", collective, {});
  EXPECT_DOUBLE_EQ(entry.make.estimate(collective, {.latency = 10, .bandwidth = 1, .sharing = 2}),
                   2.0 * (30 + 13));
}

}  // namespace
}  // namespace traincast
