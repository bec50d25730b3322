#include "simulator/replay/engines.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <string>

#include "base/error.hpp"
#include "simulator/replay/flow_network.hpp"
#include "simulator/replay/max_plus_engine.hpp"
#include "simulator/replay/replay_estimate.hpp"
#include "simulator/replay/simgrid_network.hpp"
#include "simulator/replay/virtual_time.hpp"
#include "simulator/step/communicator.hpp"
#include "simulator/step/step_executor.hpp"

namespace traincast {

namespace {

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
    bool few = count_transfers(schedules, kAffordableBySimGrid) <= kAffordableBySimGrid;
    engine = few ? Engine::simgrid : Engine::flow;
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
  timeline.tier_loads = carrier.tier_loads();
  for (const TierLoad& load : timeline.tier_loads) {
    timeline.tier_bytes.emplace_back(load.tier, load.bytes);
    timeline.busiest_link_s = std::max(timeline.busiest_link_s, load.busiest_s);
  }
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
