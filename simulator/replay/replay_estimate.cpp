#include "simulator/replay/replay_estimate.hpp"

#include <algorithm>
#include <ctime>

#include "simulator/replay/flow_network.hpp"
#include "simulator/replay/ring_recursion.hpp"
#include "simulator/replay/sharing_proof.hpp"
#include "simulator/step/communicator.hpp"
#include "simulator/step/step_executor.hpp"

namespace traincast {

namespace {

// Rates as the benchmark measures them, in seconds a transfer: of flows the slowest of its cases.
constexpr double kSimGrid = 10e-6, kFlow = 1.5e-6, kPrograms = 0.15e-6, kRing = 3e-9;
constexpr double kWorthTrying = 2;  // seconds

// What SharingProof says of all transfers, without their times.
bool is_proven(std::span<const Schedule* const> schedules, const Cluster& cluster) {
  RouteTable routes(cluster);
  SharingProof proof(cluster.links());
  std::vector<std::vector<bool>> known;  // by channel and path
  auto add = [&](Rank from, Rank to, std::uint32_t channel) {
    if (channel >= known.size()) known.resize(channel + 1);
    PathId path = routes.id(from, to);
    if (path >= known[channel].size()) known[channel].resize(path + 1, false);
    if (!known[channel][path]) proof.add(from, to, channel, routes.links(path));
    known[channel][path] = true;
  };
  try {
    for (const Schedule* schedule : schedules) {
      if (auto ring = schedule->ring()) {
        std::vector<Bytes> sent = ring_sent_bytes(*ring);
        for (Rank rank = 0; rank < sent.size(); ++rank)
          if (sent[rank] > 0) add(rank, (rank + 1) % schedule->ranks(), 0);
        continue;
      }
      for (Rank rank = 0; rank < schedule->ranks(); ++rank)
        for (std::uint32_t channel = 0; channel < schedule->channels(); ++channel) {
          auto actions = schedule->program(rank, channel);
          for (Action action; actions->next(action);)
            if (action.kind == Action::Kind::send && action.bytes > 0) add(rank, action.peer, channel);
        }
    }
  } catch (const NotProven&) {
    return false;
  }
  return true;
}

struct Enough {};

class TriedNetwork : public FlowNetwork {
 public:
  using FlowNetwork::FlowNetwork;
  void transfer(const Crossing& crossing, std::function<void()> arrived) override {
    constexpr std::uint64_t kTried = 200'000;
    if (++transfers_ > kTried) throw Enough();
    FlowNetwork::transfer(crossing, std::move(arrived));
  }
  std::uint64_t transfers() const { return transfers_; }

 private:
  std::uint64_t transfers_ = 0;
};

double tried_seconds_per_flow(const StepProgram& program, const Cluster& cluster) {
  TriedNetwork network(cluster);
  std::clock_t begin = std::clock();
  try {
    Communicator communicator(network, cluster.hosts(), program.transport);
    execute_step(program, network, communicator);
  } catch (const Enough&) {
  }
  double seconds = static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC;
  return seconds / static_cast<double>(std::max<std::uint64_t>(network.transfers(), 1));
}

double seconds_by_recursion(std::span<const Schedule* const> schedules) {
  double seconds = 0;
  for (const Schedule* schedule : schedules)
    seconds += (schedule->ring() ? kRing : kPrograms) *
               static_cast<double>(count_transfers({&schedule, 1}, UINT64_MAX));
  return seconds;
}

}  // namespace

std::vector<const Schedule*> schedules_of(const StepProgram& program) {
  std::vector<const Schedule*> all;
  for (const BucketProgram& bucket : program.buckets)
    for (const PhaseProgram& phase : bucket.phases)
      if (phase.schedule) all.push_back(phase.schedule.get());
  return all;
}

std::uint64_t count_transfers(std::span<const Schedule* const> schedules, std::uint64_t limit) {
  std::uint64_t count = 0;
  for (const Schedule* schedule : schedules) {
    if (count > limit) break;
    if (auto shape = schedule->ring()) {
      count += std::uint64_t{shape->rounds} * schedule->ranks();
      continue;
    }
    Action action;
    for (std::uint32_t channel = 0; channel < schedule->channels(); ++channel)
      for (Rank rank = 0; rank < schedule->ranks() && count <= limit; ++rank)
        for (auto program = schedule->program(rank, channel); count <= limit && program->next(action);)
          if (action.kind == Action::Kind::send) ++count;
  }
  return count;
}

ReplayEstimate estimate_replay(const StepProgram& program, const Topology& topology, Engine engine) {
  std::vector<const Schedule*> schedules = schedules_of(program);
  ReplayEstimate estimate;
  estimate.transfers = count_transfers(schedules, UINT64_MAX);
  auto transfers = static_cast<double>(estimate.transfers);
  if (engine == Engine::automatic && estimate.transfers <= kAffordableBySimGrid) engine = Engine::simgrid;
  estimate.cpu_s = transfers * (engine == Engine::simgrid ? kSimGrid : kFlow);
  if (engine == Engine::simgrid || estimate.cpu_s < kWorthTrying) return estimate;
  auto cluster = topology.build(program.learners);
  if (engine == Engine::max_plus || (engine == Engine::automatic && is_proven(schedules, *cluster)))
    estimate.cpu_s = seconds_by_recursion(schedules);
  else
    estimate.cpu_s = transfers * tried_seconds_per_flow(program, *cluster);
  return estimate;
}

}  // namespace traincast
