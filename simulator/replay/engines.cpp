#include "simulator/replay/engines.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <string>

#include "base/error.hpp"
#include "simulator/replay/flow_network.hpp"
#include "simulator/replay/max_plus_engine.hpp"
#include "simulator/replay/simgrid_network.hpp"
#include "simulator/replay/virtual_time.hpp"
#include "simulator/step/communicator.hpp"
#include "simulator/step/step_executor.hpp"

namespace traincast {

namespace {

// SimGrid takes 7 to 16 µs a transfer, so that these take about a second.
constexpr std::uint64_t kAffordableBySimGrid = 100'000;

// Of the schedule; counting ends above the limit.
std::uint64_t count_transfers(const Schedule& schedule, std::uint64_t limit) {
  if (auto shape = schedule.ring()) return std::uint64_t{shape->rounds} * schedule.ranks();
  std::uint64_t count = 0;
  Action action;
  for (std::uint32_t channel = 0; channel < schedule.channels(); ++channel)
    for (Rank rank = 0; rank < schedule.ranks() && count <= limit; ++rank)
      for (auto program = schedule.program(rank, channel); count <= limit && program->next(action);)
        if (action.kind == Action::Kind::send) ++count;
  return count;
}

bool simgrid_can_afford(const std::vector<const Schedule*>& schedules) {
  std::uint64_t count = 0;
  for (const Schedule* schedule : schedules) {
    count += count_transfers(*schedule, kAffordableBySimGrid - count);
    if (count > kAffordableBySimGrid) return false;
  }
  return true;
}

std::vector<const Schedule*> schedules_of(const StepProgram& program) {
  std::vector<const Schedule*> all;
  for (const BucketProgram& bucket : program.buckets)
    for (const PhaseProgram& phase : bucket.phases)
      if (phase.schedule) all.push_back(phase.schedule.get());
  return all;
}

// Calls `max_plus`, or `on_network` with the network that the choice comes to.
template <class Result>
Result choose(Engine engine, const std::vector<const Schedule*>& schedules, const Cluster& cluster,
              const std::function<Result()>& max_plus,
              const std::function<Result(Network&, Engine)>& on_network) {
  if (engine == Engine::automatic || engine == Engine::max_plus) {
    try {
      return max_plus();
    } catch (const NotProven& not_proven) {
      if (engine == Engine::max_plus)
        throw PlacedError("", "/engine",
                          "'max_plus' is exact only where no two transfers share a link, and " +
                              not_proven.why + "; 'auto' takes an engine that shares links");
    }
    engine = simgrid_can_afford(schedules) ? Engine::simgrid : Engine::flow;
  }
  if (engine == Engine::simgrid) {
    SimGridNetwork simgrid(cluster);
    return on_network(simgrid, Engine::simgrid);
  }
  FlowNetwork flow(cluster);
  return on_network(flow, Engine::flow);
}

template <class Carrier>
void add_traffic(Timeline& timeline, const Carrier& carrier, Engine engine) {
  timeline.tier_bytes = carrier.tier_bytes();
  timeline.busiest_link_s = carrier.busiest_link_s();
  timeline.engine = to_string(engine);
}

void check_all_finished(std::size_t finished, std::size_t ranks, const std::vector<std::string>& waiting) {
  if (finished < ranks)
    throw SimulationError("replay: " + deadlock_message(ranks - finished, ranks, waiting));
}

CollectiveTimes carry_out(const Schedule& schedule, const Transport& transport,
                          const std::vector<double>& starts, std::uint32_t hosts, Network& network,
                          Engine engine) {
  Communicator communicator(network, hosts, transport);
  CollectiveTimes times;
  times.finish_s.resize(schedule.ranks());
  std::size_t finished = 0;
  std::size_t collective = communicator.add(schedule, "the collective", [&](Rank rank) {
    times.finish_s[rank] = network.now();
    ++finished;
  });
  for (Rank rank = 0; rank < schedule.ranks(); ++rank)
    network.after(starts[rank], [&, rank] { communicator.enter(rank, collective); });
  network.run();
  check_all_finished(finished, schedule.ranks(), communicator.waiting());
  times.timeline.sent_bytes = communicator.sent_bytes();
  times.timeline.received_bytes = communicator.received_bytes();
  times.timeline.transfers = communicator.transfers();
  add_traffic(times.timeline, network, engine);
  return times;
}

CollectiveTimes calculate(const Schedule& schedule, const Transport& transport,
                          const std::vector<double>& starts, const Cluster& cluster) {
  MaxPlusRecursion recursion(cluster, transport);
  CollectiveTimes times;
  times.finish_s = recursion.run(schedule, "the collective", starts);
  auto finished = std::count_if(times.finish_s.begin(), times.finish_s.end(),
                                [](double time) { return std::isfinite(time); });
  check_all_finished(static_cast<std::size_t>(finished), schedule.ranks(), recursion.waiting());
  times.timeline.sent_bytes = recursion.sent_bytes();
  times.timeline.received_bytes = recursion.received_bytes();
  times.timeline.transfers = recursion.transfers();
  add_traffic(times.timeline, recursion, Engine::max_plus);
  return times;
}

}  // namespace

std::string_view to_string(Engine engine) {
  switch (engine) {
    case Engine::automatic: return "auto";
    case Engine::simgrid: return "simgrid";
    case Engine::flow: return "flow";
    case Engine::max_plus: return "max_plus";
  }
  return "";
}

// Rates as the benchmark measures them on one core at 2.5 GHz: flows that share links take up to 0.5 µs.
ReplayEstimate estimate_replay(const StepProgram& program, Engine engine) {
  constexpr double kSimGrid = 10e-6, kFlow = 0.5e-6, kMaxPlus = 0.1e-6;
  constexpr std::uint64_t kCountedUpTo = 1'000'000'000;
  ReplayEstimate estimate;
  for (const Schedule* schedule : schedules_of(program))
    if (estimate.transfers < kCountedUpTo)
      estimate.transfers += count_transfers(*schedule, kCountedUpTo - estimate.transfers);
  double each = kFlow;
  if (engine == Engine::max_plus) each = kMaxPlus;
  if (engine == Engine::simgrid ||
      (engine == Engine::automatic && estimate.transfers <= kAffordableBySimGrid))
    each = kSimGrid;
  estimate.cpu_s = each * static_cast<double>(estimate.transfers);
  return estimate;
}

Timeline replay_step_here(const StepProgram& program, const Cluster& cluster, Engine engine) {
  return choose<Timeline>(
      engine, schedules_of(program), cluster,
      [&] {
        VirtualTime time;
        MaxPlusEngine max_plus(time, cluster, program.transport);
        Timeline timeline = execute_step(program, time, max_plus);
        add_traffic(timeline, max_plus.recursion(), Engine::max_plus);
        return timeline;
      },
      [&](Network& network, Engine chosen) {
        Communicator communicator(network, cluster.hosts(), program.transport);
        Timeline timeline = execute_step(program, network, communicator);
        add_traffic(timeline, network, chosen);
        return timeline;
      });
}

CollectiveTimes replay_collective_here(const Schedule& schedule, const Cluster& cluster,
                                       const std::vector<double>& starts, Engine engine,
                                       const Transport& transport) {
  return choose<CollectiveTimes>(
      engine, {&schedule}, cluster, [&] { return calculate(schedule, transport, starts, cluster); },
      [&](Network& network, Engine chosen) {
        return carry_out(schedule, transport, starts, cluster.hosts(), network, chosen);
      });
}

}  // namespace traincast
