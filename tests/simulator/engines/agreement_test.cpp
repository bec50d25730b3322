// Every engine against SimGrid: every topology and every collective of the catalogs, with equal sizes, with
// sizes that differ by up to half, and with ranks that enter late.
#include <algorithm>
#include <map>
#include <random>

#include "base/error.hpp"
#include "tests/simulator/engines/engine_support.hpp"

namespace traincast {
namespace {

struct Place {
  std::string name, json;
  friend void PrintTo(const Place& place, std::ostream* out) { *out << place.name; }
};

std::vector<Place> places() {
  std::vector<Place> all{
      {"gpu_nodes_shared_nic",
       R"({"name": "gpu_nodes", "gpus_per_node": 4, "bandwidth": "1GBps", "latency": "7us"})"},
      {"gpu_nodes_own_nics",
       R"({"name": "gpu_nodes", "gpus_per_node": 4, "nics": "per_gpu", "bandwidth": "1GBps"})"},
      {"gpu_nodes_slow_inside",
       R"({"name": "gpu_nodes", "gpus_per_node": 3, "bandwidth": "5GBps", "intra_bandwidth": "2GBps"})"},
  };
  for (const Example& example : kExamples) all.push_back({example.name, example.json});
  return all;
}

enum class Variant { uniform, uneven, late };
constexpr Variant kVariants[] = {Variant::uniform, Variant::uneven, Variant::late};
constexpr const char* kVariantNames[] = {"uniform", "uneven", "late"};

bool is_prime(Bytes n) {
  for (Bytes d = 2; d * d <= n; ++d)
    if (n % d == 0) return false;
  return true;
}

// Distinct primes within half of 100,000.
std::vector<Bytes> primes(std::uint32_t count) {
  std::mt19937 random(count);
  std::vector<Bytes> all;
  while (all.size() < count) {
    Bytes candidate = 50'000 + random() % 100'000;
    while (!is_prime(candidate) || std::find(all.begin(), all.end(), candidate) != all.end()) ++candidate;
    all.push_back(candidate);
  }
  return all;
}

Collective collective_of(Word word, std::uint32_t ranks, Variant variant) {
  Collective collective{.word = word, .ranks = ranks, .group = ranks % 4 == 0 ? 4U : 1U};
  bool equal = variant == Variant::uniform;
  switch (word) {
    case Word::reduce_scatter:
    case Word::all_reduce: collective.count = equal ? 10'000ULL * ranks : 100'003 + ranks; break;
    case Word::all_gather:
      collective.bytes = equal ? std::vector<Bytes>(ranks, 100'000) : primes(ranks);
      break;
    case Word::all_to_all:
      collective.bytes = equal ? std::vector<Bytes>(ranks * ranks, 10'000) : primes(ranks * ranks);
      break;
    case Word::broadcast:
      collective.bytes = {equal ? 100'000U : 99'991U};
      collective.root = equal ? 0 : ranks - 1;
      break;
    case Word::sparse_all_reduce: {
      // Equal and apart, or of prime strides, which overlap more the more of them are united.
      collective.count = 5'000;
      std::vector<std::vector<Index>> supports(ranks);
      for (Rank rank = 0; rank < ranks; ++rank)
        for (Index at = rank; at < collective.count; at += equal ? 100 * ranks : 211 + 6 * rank)
          supports[rank].push_back(at);
      collective.supports = std::make_shared<const std::vector<std::vector<Index>>>(std::move(supports));
      break;
    }
    case Word::neighbours:
    case Word::push_pull:
      collective.bytes = equal ? std::vector<Bytes>(ranks, 100'000) : primes(ranks);
      collective.pulled = equal ? 100'000 : 99'991;
      collective.step = equal ? 0 : 1;
      break;
    case Word::rounds: {
      std::vector<std::vector<Transfer>> rounds(3);
      std::vector<Bytes> sizes = equal ? std::vector<Bytes>(ranks, 100'000) : primes(ranks);
      for (std::uint32_t t = 0; t < rounds.size(); ++t)
        for (Rank rank = t; rank < ranks; ++rank)
          if ((rank + t + 1) % ranks != rank)
            rounds[t].push_back({rank, (rank + t + 1) % ranks, sizes[rank]});
      collective.rounds = std::make_shared<const std::vector<std::vector<Transfer>>>(rounds);
      break;
    }
  }
  return collective;
}

std::vector<double> starts_of(std::uint32_t ranks, Variant variant) {
  std::vector<double> starts(ranks, 0);
  std::mt19937 random(17 * ranks);
  std::uniform_real_distribution<double> late(0, 1e-3);
  if (variant == Variant::late)
    for (double& start : starts) start = late(random);
  return starts;
}

// Around a ring whose hops share links, a difference of rounding grows from round to round, and by the end
// decides who shared with whom. The cases listed differ by more than rounding: all of them in late digits,
// and among 64 and more some by percents in single ranks, while the collective's end stays within one. There
// SimGrid's own answer moves as much: between surf/precision 1e-9 and 1e-12, or solvers Lazy and Full
// (network/optim), by up to 8 % in single ranks and 1.4 % at the end, in the cases tried.
constexpr double kExact = 1e-9, kLateDigits = 1e-4, kPercents = 0.03, kEnd = 0.01;
double tolerance_of(const std::string& place, const std::string& algorithm, const Collective& collective) {
  struct Case {
    const char* place;
    Word word;
    const char* algorithm;
    double tolerance;
  };
  if (algorithm == "multi_ring") return collective.ranks > 16 ? kPercents : kLateDigits;
  constexpr Case kMovesWithSimGrid[] = {
      {"dragonfly_random", Word::all_gather, "bidirectional_ring", kPercents},
      {"dragonfly_random", Word::all_reduce, "ring", kPercents},
      {"dragonfly_random", Word::all_to_all, "pairwise", kLateDigits},
      {"fat_tree", Word::all_reduce, "bidirectional_ring", kPercents},
      {"fat_tree", Word::push_pull, "colocated", kLateDigits},
      {"gpu_nodes", Word::push_pull, "colocated", kLateDigits},
      {"gpu_nodes_dragonfly", Word::all_reduce, "hierarchical", kLateDigits},
      {"gpu_nodes_random", Word::all_gather, "padded", kPercents},
      {"gpu_nodes_random", Word::all_gather, "ring", kPercents},
      {"gpu_nodes_random", Word::all_reduce, "hierarchical", kLateDigits},
      {"ring", Word::push_pull, "colocated", kPercents},
      {"star", Word::all_reduce, "bidirectional_ring", kLateDigits},
  };
  for (const Case& known : kMovesWithSimGrid)
    if (place == known.place && collective.word == known.word && algorithm == known.algorithm)
      return collective.ranks > 16 ? known.tolerance : kLateDigits;
  return kExact;
}

void expect_same(const CollectiveTimes& measured, const CollectiveTimes& reference, double tolerance,
                 const std::string& what) {
  auto end = [](const CollectiveTimes& times) {
    return *std::max_element(times.finish_s.begin(), times.finish_s.end());
  };
  expect_close(end(measured), end(reference), std::min(tolerance, kEnd), what + ", its end");
  for (std::size_t rank = 0; rank < reference.finish_s.size(); ++rank)
    expect_close(measured.finish_s[rank], reference.finish_s[rank], tolerance,
                 what + ", rank " + std::to_string(rank));
  EXPECT_EQ(measured.timeline.sent_bytes, reference.timeline.sent_bytes) << what;
  EXPECT_EQ(measured.timeline.received_bytes, reference.timeline.received_bytes) << what;
  EXPECT_EQ(measured.timeline.tier_bytes, reference.timeline.tier_bytes) << what;
  EXPECT_EQ(measured.timeline.transfers, reference.timeline.transfers) << what;
  expect_close(measured.timeline.busiest_link_s, reference.timeline.busiest_link_s, kExact, what);
}

class Agreement : public testing::TestWithParam<Place> {
 protected:
  void compare(const Topology& topology, const std::string& algorithm, const Collective& collective,
               Variant variant) {
    auto schedule = make_schedule(algorithm, collective);
    auto starts = starts_of(collective.ranks, variant);
    auto reference = replay_collective(*schedule, topology, starts, Engine::simgrid);
    auto cluster = topology.build(collective.ranks);
    std::string what = std::string(to_string(collective.word)) + "/" + algorithm + " among " +
                       std::to_string(collective.ranks) + ", " + kVariantNames[static_cast<int>(variant)];
    double tolerance = tolerance_of(GetParam().name, algorithm, collective);
    expect_same(replay_collective_here(*schedule, *cluster, starts, Engine::flow), reference, tolerance,
                "flow, " + what);
    try {
      expect_same(replay_collective_here(*schedule, *cluster, starts, Engine::max_plus), reference, kExact,
                  "max_plus, " + what);
    } catch (const InputError&) {  // not proven there
    }
  }

  // Every `stride`-th pair of a place and an algorithm, along a diagonal.
  void compare_all(std::uint32_t ranks, std::size_t stride = 1) {
    auto all = places();
    std::size_t pair = static_cast<std::size_t>(
        std::find_if(all.begin(), all.end(),
                     [](const Place& place) { return place.name == GetParam().name; }) -
        all.begin());
    auto topology = make_topology(GetParam().json);
    if (!topology->refuses(ranks).empty()) GTEST_SKIP() << topology->refuses(ranks);
    bool compared = false;
    for (Word word : kWords)
      for (const auto& entry : collective_catalog(word).entries()) {
        if (pair++ % stride != 0) continue;
        for (Variant variant : kVariants) {
          Collective collective = collective_of(word, ranks, variant);
          if (!entry.make.refuses(collective).empty()) continue;
          compare(*topology, std::string(entry.name), collective, variant);
          compared = true;
        }
      }
    if (!compared) GTEST_SKIP() << "the diagonal has no algorithm here";
  }
};

// SimGrid runs in a process of its own each time, which is dear where memory is watched: a diagonal there.
#ifdef __SANITIZE_ADDRESS__
constexpr std::size_t kFewRanks = 5, kManyRanks = 28;
#else
constexpr std::size_t kFewRanks = 1, kManyRanks = 7;
#endif

TEST_P(Agreement, Among4) { compare_all(4, kFewRanks); }
TEST_P(Agreement, Among7) { compare_all(7, kFewRanks); }
TEST_P(Agreement, Among16) { compare_all(16, kFewRanks); }
TEST_P(Agreement, AlongADiagonalAmong64) { compare_all(64, kManyRanks); }
TEST_P(Agreement, AlongADiagonalAmong128) { compare_all(128, 83); }

INSTANTIATE_TEST_SUITE_P(Catalog, Agreement, testing::ValuesIn(places()),
                         [](const auto& parameter) { return parameter.param.name; });

}  // namespace
}  // namespace traincast
