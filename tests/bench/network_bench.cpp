// What replaying costs: CPU seconds (and what was told before), peak memory and transfers a second of each
// engine, for growing numbers of learners. Beside it the time that the collective took on the simulated
// cluster, and its lower bound. Not a test; run it on an idle machine: traincast-bench-network [MOST LEARNERS
// [CASE]].
#include <sys/resource.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "base/child_processes.hpp"
#include "base/error.hpp"
#include "base/random.hpp"
#include "base/serial.hpp"
#include "platforms/topology.hpp"
#include "simulator/collectives/collective_catalog.hpp"
#include "simulator/collectives/program_parts.hpp"
#include "simulator/replay/engines.hpp"
#include "simulator/replay/replay_estimate.hpp"

namespace traincast {
namespace {

struct Platform {
  const char* topology;
  std::uint32_t ranks_on_port = 1;  // that share one, of the narrowest bandwidth
};

struct Case {
  const char* name;
  Platform platform;
  const char* algorithm;
  std::uint64_t megabytes;  // of one bucket
  unsigned buckets;
  Engine engine;
  std::uint32_t most_learners;
  double density = 1;  // of a sparse all-reduce, with places drawn evenly
};

constexpr const char* kUnevenRings = "eight uneven rings";

constexpr Platform kStar{R"({"name": "star", "bandwidth": "100Gbps"})"};
constexpr Platform kNodes{R"({"name": "gpu_nodes", "bandwidth": "100Gbps"})", 8};
constexpr Platform kFatTree{R"({"name": "fat_tree", "bandwidth": "100Gbps", "down": [16, 64], "up": [8]})"};
constexpr Platform kThinTree{R"({"name": "fat_tree", "bandwidth": "100Gbps", "down": [16, 64], "up": [4]})"};
constexpr std::uint32_t kAll = 16384;

constexpr Case kCases[] = {
    {"ring-star", kStar, "ring", 100, 1, Engine::automatic, kAll},
    {"ring-gpu-nodes", kNodes, "ring", 100, 1, Engine::automatic, kAll},
    {"step-star", kStar, "ring", 4, 25, Engine::automatic, kAll},
    {"step-gpu-nodes", kNodes, "ring", 4, 25, Engine::automatic, kAll},
    {"halving-doubling-star", kStar, "halving_doubling", 100, 1, Engine::automatic, kAll},
    {"halving-doubling-shared-nic", kNodes, "halving_doubling", 25, 1, Engine::flow, 4096},
    {"binomial-tree-shared-nic", kNodes, "binomial_tree", 25, 1, Engine::flow, 4096},
    {"ring-fat-tree-2to1", kFatTree, "ring", 100, 1, Engine::automatic, 1024},
    {"halving-doubling-fat-tree-4to1", kThinTree, "halving_doubling", 25, 1, Engine::flow, 1024},
    {"binomial-tree-fat-tree-4to1", kThinTree, "binomial_tree", 25, 1, Engine::flow, 1024},
    {"double-tree-fat-tree-4to1", kThinTree, "double_binary_tree", 25, 1, Engine::flow, 1024},
    {"double-tree-shared-nic", kNodes, "double_binary_tree", 25, 1, Engine::flow, 1024},
    {"hierarchical-shared-nic", kNodes, "hierarchical", 25, 1, Engine::flow, 1024},
    {"eight-rings-shared-nic", kNodes, "multi_ring", 25, 1, Engine::flow, 1024},
    {"eight-uneven-rings-shared-nic", kNodes, kUnevenRings, 25, 1, Engine::flow, 1024},
    {"hierarchical-fat-tree-4to1", kThinTree, "hierarchical", 25, 1, Engine::flow, 1024},
    {"sparse-ring-star", kStar, "ring", 25, 1, Engine::automatic, 1024, 0.001},
    {"ring-star-as-flows", kStar, "ring", 100, 1, Engine::flow, 1024},
    {"ring-star-on-simgrid", kStar, "ring", 100, 1, Engine::simgrid, 256},
    {"halving-doubling-shared-nic-on-simgrid", kNodes, "halving_doubling", 25, 1, Engine::simgrid, 1024},
};

std::unique_ptr<Topology> topology_of(const char* text) {
  Json value = Json::parse(text, "bench");
  JsonReader reader(value, "bench");
  const auto& entry = topology_catalog().find(reader);
  return entry.make(read_parameters(reader, entry.name, entry.parameters));
}

struct Measured {
  double cpu_s, told_s, peak_mb, step_s, bound_s;
  std::uint64_t transfers;
  char engine[16];
};

double cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + 1e-6 * static_cast<double>(t.tv_usec);
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

double peak_mb() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024;
}

// Each rank's places: a share of them, drawn one after another.
std::shared_ptr<const Supports> drawn_supports(std::uint32_t ranks, std::uint64_t count, double density) {
  auto supports = std::make_shared<Supports>(ranks);
  auto gap = static_cast<std::uint64_t>(2 / density);
  for (Rank rank = 0; rank < ranks; ++rank) {
    RandomStream draws({.seed = 1, .purpose = Purpose::data, .learner = rank});
    for (std::uint64_t at = draws.below(gap); at < count; at += 1 + draws.below(gap - 1))
      (*supports)[rank].push_back(static_cast<Index>(at));
  }
  return supports;
}

// What every rank must at least be told: the values of a sum's places that it does not hold. The closed form
// of a dense one counts what the rank itself must tell, too.
double least_bytes(const Collective& collective, std::uint32_t ports) {
  auto element = static_cast<double>(collective.element_bytes);
  if (!collective.supports)
    return 2 * (ports - 1.0) / ports * element * static_cast<double>(collective.count);
  std::vector<bool> held(collective.count, false);
  std::size_t least_own = SIZE_MAX;
  for (const auto& support : *collective.supports) {
    for (Index place : support) held[place] = true;
    least_own = std::min(least_own, support.size());
  }
  return element *
         static_cast<double>(std::ranges::count(held, true) - static_cast<std::ptrdiff_t>(least_own));
}

// No all-reduce is faster: log2 N messages one after another, or its bytes through a port. Ranks that share a
// port count as one.
double bound_of(const Collective& collective, const Topology& topology, std::uint32_t ranks_on_port) {
  std::uint32_t ranks = collective.ranks, ports = ranks > ranks_on_port ? ranks / ranks_on_port : ranks;
  double rounds = 0;
  for (std::uint32_t reached = 1; reached < ports; reached *= 2) ++rounds;
  return std::max(rounds * topology.longest_latency(ranks),
                  least_bytes(collective, ports) / topology.narrowest_bandwidth(ranks));
}

// As 'multi_ring', but the chunks of every ring differ by up to half.
std::shared_ptr<const Schedule> uneven_rings(const Collective& collective) {
  constexpr std::uint32_t kRings = 8;
  std::uint32_t ranks = collective.ranks;
  Bytes mean = collective.count * collective.element_bytes / kRings / ranks;
  std::vector<Division> rings;
  for (std::uint32_t ring = 0; ring < kRings; ++ring) {
    RandomStream draws({.seed = 1, .purpose = Purpose::data, .learner = ring});
    std::vector<Bytes> chunks(ranks);
    for (Rank rank = 0; rank < ranks; ++rank)  // two by two as long as two
      chunks[rank] = rank % 2 == 0 ? mean / 2 + draws.below(mean) : 2 * mean - chunks[rank - 1];
    rings.push_back(Division::of_sizes(chunks));
  }
  return make_schedule(ranks, kRings, [ranks, rings](Rank rank, std::uint32_t ring) {
    auto turned = [](Rank of, std::uint32_t by) { return of / kRings * kRings + (of + by) % kRings; };
    auto rank_of = [=](Rank role) { return turned(role, ring); };
    return in_roles(ring_all_reduce(turned(rank, kRings - ring), ranks, rings[ring]), rank_of);
  });
}

std::shared_ptr<const Schedule> schedule_of(const Case& one, const Collective& collective) {
  if (one.algorithm == std::string(kUnevenRings)) return uneven_rings(collective);
  return choose_algorithm(one.algorithm, collective, {}).make.schedule(collective);
}

Measured measure(const Case& one, std::uint32_t learners) {
  auto topology = topology_of(one.platform.topology);
  Collective collective{.ranks = learners, .count = one.megabytes * 250'000, .group = 8};
  if (one.density < 1) {
    collective.word = Word::sparse_all_reduce;
    collective.supports = drawn_supports(learners, collective.count, one.density);
  }
  double begin = cpu_seconds();
  StepProgram program{.learners = learners, .overlap = false, .buckets = {}};
  for (unsigned b = 0; b < one.buckets; ++b) {
    PhaseProgram phase;
    phase.schedule = schedule_of(one, collective);
    program.buckets.push_back({0, {phase}});
  }
  auto cluster = topology->build(learners);
  Timeline timeline = replay_step_here(program, *cluster, one.engine);
  double cpu_s = cpu_seconds() - begin, peak = peak_mb();
  Measured measured{cpu_s,
                    estimate_replay(program, *topology, one.engine).cpu_s,
                    peak,
                    timeline.step_s,
                    one.buckets * bound_of(collective, *topology, one.platform.ranks_on_port),
                    timeline.transfers,
                    {}};
  timeline.engine.copy(measured.engine, sizeof measured.engine - 1);
  return measured;
}

void print(const Case& one, std::uint32_t most) {
  std::printf("%s: %u bucket%s of %llu MB\n", one.name, one.buckets, one.buckets == 1 ? "" : "s",
              static_cast<unsigned long long>(one.megabytes));
  std::printf("%9s  %-8s %13s %10s %10s %7s %9s %10s %12s %12s %7s\n", "learners", "engine", "transfers",
              "CPU s", "told s", "growth", "peak MB", "M/s", "simulated s", "bound s", "ratio");
  double before = 0;
  for (std::uint32_t learners = 8; learners <= std::min(most, one.most_learners); learners *= 2) {
    auto results = run_in_children(
        1, 1,
        [&](std::size_t) {
          Writer writer;
          writer.put(measure(one, learners));
          return writer.bytes();
        },
        nullptr);
    auto m = Reader(results.front()).get<Measured>();
    std::printf("%9u  %-8s %13llu %10.4f %10.4f %7.2f %9.1f %10.2f %12.6g %12.6g %7.3f\n", learners, m.engine,
                static_cast<unsigned long long>(m.transfers), m.cpu_s, m.told_s,
                before > 0 ? m.cpu_s / before : 0.0, m.peak_mb,
                static_cast<double>(m.transfers) / m.cpu_s / 1e6, m.step_s, m.bound_s, m.step_s / m.bound_s);
    std::fflush(stdout);
    before = m.cpu_s;
  }
  std::printf("\n");
}

}  // namespace
}  // namespace traincast

int main(int count, char** arguments) {
  auto most = count > 1 ? static_cast<std::uint32_t>(std::strtoul(arguments[1], nullptr, 10)) : 16384U;
  try {
    for (const traincast::Case& one : traincast::kCases)
      if (count < 3 || std::string(arguments[2]) == one.name) traincast::print(one, most);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "traincast-bench-network: %s\n", error.what());
    return traincast::kSimulationFailed;
  }
}
