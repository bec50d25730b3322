// How stacks carry collectives.
#include "simulator/stack_rules.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.hpp"
#include "simulator/run.hpp"

namespace traincast {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;

Stack stack_of(std::string_view json) {
  Json value = Json::parse(json, "test");
  JsonReader reader(value, "test");
  const auto& entry = stack_catalog().find(reader);
  return entry.make(read_parameters(reader, entry.name, entry.parameters));
}

constexpr double kBandwidth = 1.25e9;
const NetworkEstimate kNetwork{10e-6, kBandwidth};

Collective gather(std::vector<Bytes> bytes) {
  Collective collective{.word = Word::all_gather, .ranks = static_cast<std::uint32_t>(bytes.size())};
  collective.bytes = std::move(bytes);
  return collective;
}

TEST(StackRules, TheIdealStackAddsNothing) {
  Stack ideal = stack_of(R"("ideal")");
  Transport transport = transport_of(ideal, kNetwork);
  EXPECT_EQ(transport.load(1000), 1000u);
  EXPECT_EQ(transport.latency_s(1000), 0);
  EXPECT_EQ(transport.hop_s(HopWork::merge, 1000), 0);
  auto carried = carry(ideal, "auto", gather({1, 2, 3}), kNetwork);
  EXPECT_EQ(carried.launch_s + carried.landing_s, 0);
  EXPECT_EQ(carried.algorithms.size(), 1u);
}

// LL and LL128 meet where 2.7 µs + 4m/B = 4 µs + m/(0.92 B), LL128 and Simple where 4 µs + m/(0.92 B) =
// 9.6 µs + m/B.
TEST(StackRules, NcclTakesTheFastestProtocolForAMessage) {
  Transport transport = transport_of(stack_of(R"("nccl")"), kNetwork);
  ASSERT_EQ(transport.protocols.size(), 3u);
  double first = 1.3e-6 * kBandwidth / (4 - 1 / 0.92), second = 5.6e-6 * kBandwidth / (1 / 0.92 - 1);
  EXPECT_NEAR(static_cast<double>(transport.protocols[0].up_to), first, 1);
  EXPECT_NEAR(static_cast<double>(transport.protocols[1].up_to), second, 1);
  EXPECT_EQ(transport.protocols[2].up_to, UINT64_MAX);
  EXPECT_EQ(transport.load(100), 400u);
  EXPECT_EQ(transport.load(1'000'000), 1'000'000u);
  EXPECT_DOUBLE_EQ(transport.latency_s(1'000'000), 9.6e-6);
}

// Where two protocols meet, rounding may make either the faster one.
TEST(StackRules, TheLastProtocolIsTheMostEfficientAtEveryBandwidth) {
  const Stack nccl = stack_of(R"("nccl")");
  for (int i = 0; i < 2000; ++i) {
    NetworkEstimate network = kNetwork;
    network.bandwidth *= 0.5 + 0.00037 * i;
    Transport transport = transport_of(nccl, network);
    ASSERT_EQ(transport.protocols.size(), 3u) << network.bandwidth;
    ASSERT_EQ(transport.load(1'000'000'000), 1'000'000'000u) << network.bandwidth;
  }
}

TEST(StackRules, AProtocolThatIsNeverTheFastestFallsOut) {
  Transport transport = transport_of(stack_of(R"({"name": "nccl", "middle_latency": "20us"})"), kNetwork);
  ASSERT_EQ(transport.protocols.size(), 2u);
  EXPECT_DOUBLE_EQ(transport.protocols[1].latency_s, 9.6e-6);
}

TEST(StackRules, AutoTakesOnlyWhatTheLibraryRuns) {
  for (std::uint32_t n : {2U, 16U, 64U})
    for (std::uint64_t count : {10ULL, 100'000ULL, 100'000'000ULL}) {
      Collective sum{.ranks = n, .count = count};
      EXPECT_THAT(carry(stack_of(R"("nccl")"), "auto", sum, kNetwork).algorithms.front().second,
                  ::testing::AnyOf("ring", "double_binary_tree", "multi_ring"));
      EXPECT_THAT(carry(stack_of(R"("gloo")"), "auto", sum, kNetwork).algorithms.front().second,
                  ::testing::AnyOf("ring", "halving_doubling"));
    }
}

TEST(StackRules, UnequalSizesAreExchangedAndPadded) {
  auto carried = carry(stack_of(R"("nccl")"), "auto", gather({100, 200, 300}), kNetwork);
  EXPECT_THAT(carried.algorithms,
              ElementsAre(Pair(Word::all_gather, "ring"), Pair(Word::all_gather, "padded")));
  Bytes sent = 0;
  auto program = carried.schedule->program(0);
  for (Action action; program->next(action);)
    if (action.kind == Action::Kind::send) sent += action.bytes;
  EXPECT_EQ(sent, 2 * 8 + 2 * 300u);
  auto equal = carry(stack_of(R"("nccl")"), "auto", gather({200, 200, 200}), kNetwork);
  EXPECT_THAT(equal.algorithms, ElementsAre(Pair(Word::all_gather, "ring")));
}

TEST(StackRules, AStackMayHaveFewerChannelsThanANodeHasRanks) {
  Collective sum{.ranks = 16, .count = 100'000, .group = 8};
  EXPECT_EQ(carry(stack_of(R"("nccl")"), "multi_ring", sum, kNetwork).schedule->channels(), 8u);
  EXPECT_EQ(
      carry(stack_of(R"({"name": "nccl", "channels": 3})"), "multi_ring", sum, kNetwork).schedule->channels(),
      3u);
  EXPECT_EQ(carry(stack_of(R"({"name": "nccl", "channels": 20})"), "multi_ring", sum, kNetwork)
                .schedule->channels(),
            8u);
}

// 1 MB out and back at 10 GB/s.
TEST(StackRules, BuffersAreCopiedThroughTheHostWithoutGpuDirect) {
  Collective sum{.ranks = 4, .count = 250'000};
  auto carried =
      carry(stack_of(R"({"name": "gloo", "launch": "1us", "staging": "10GBps"})"), "auto", sum, kNetwork);
  EXPECT_DOUBLE_EQ(carried.launch_s, 101e-6);
  EXPECT_DOUBLE_EQ(carried.landing_s, 100e-6);
  auto direct =
      carry(stack_of(R"({"name": "gloo", "launch": "1us", "gpu_direct": true})"), "auto", sum, kNetwork);
  EXPECT_DOUBLE_EQ(direct.launch_s, 1e-6);
  EXPECT_EQ(direct.landing_s, 0);
}

TEST(StackRules, BytePsRefusesGatheredPayloads) {
  try {
    carry(stack_of(R"("byteps")"), "auto", gather({1, 1}), kNetwork);
    FAIL() << "carried";
  } catch (const InputError& error) {
    EXPECT_THAT(error.what(), HasSubstr("/stack: it does not carry all_gather, which the method sends"));
  }
}

TEST(StackRules, BytePsSumsAtServersOfItsOwnOrBesideTheLearners) {
  Collective sum{.ranks = 4, .count = 1000};
  auto beside = carry(stack_of(R"("byteps")"), "auto", sum, kNetwork);
  EXPECT_THAT(beside.algorithms, ElementsAre(Pair(Word::push_pull, "colocated")));
  EXPECT_EQ(beside.schedule->ranks(), 4u);
  sum.servers = 2;
  auto own = carry(stack_of(R"("byteps")"), "servers", sum, kNetwork);
  EXPECT_THAT(own.algorithms, ElementsAre(Pair(Word::push_pull, "servers")));
  EXPECT_EQ(own.schedule->ranks(), 6u);
}

TEST(StackRules, ANamedPushPullCarriesTheSumsOfBytePs) {
  Json document = Json::parse(R"({
    "name": "served", "learners": 4, "steps": 1, "gradients": {"name": "shapes", "shape": [1000]},
    "timings": {"name": "given", "forward": "1ms", "backward": "2ms"}, "buckets": "model",
    "stack": {"name": "byteps", "free_hops": true}, "collective": {"push_pull": "servers"},
    "platform": {"name": "parameter_server", "bandwidth": "1GBps", "servers": 2}})",
                              "test");
  RunOptions options;
  options.quiet = true;
  PointReport point = run(make_plan(std::move(document), "test.json", {}), options).report.points[0];
  EXPECT_DOUBLE_EQ(point.bytes_sent_per_learner.mean, 4000);  // all of it, to the servers
  EXPECT_DOUBLE_EQ(point.bytes_sent_total, 4 * 4000 + 4 * 4000);
}

TEST(StackRules, JoinedCollectivesAddUp) {
  Collective sums[] = {{.ranks = 2, .count = 3}, {.ranks = 2, .count = 4}};
  EXPECT_EQ(joined(sums).count, 7u);
  Collective gathers[] = {gather({1, 2}), gather({10, 20})};
  EXPECT_THAT(joined(gathers).bytes, ElementsAre(11, 22));
}

TEST(StackRules, EveryStackCarriesADenseSum) {
  for (const auto& entry : stack_catalog().entries()) {
    Json bare(std::string(entry.name));
    Stack stack = entry.make(read_parameters(JsonReader(bare, "test"), entry.name, entry.parameters));
    for (std::uint32_t n : {2U, 3U, 8U, 13U})
      EXPECT_EQ(carry(stack, "auto", {.ranks = n, .count = 1000}, kNetwork).schedule->ranks(), n)
          << entry.name;
  }
}

}  // namespace
}  // namespace traincast
