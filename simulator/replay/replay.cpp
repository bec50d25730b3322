#include "simulator/replay/replay.hpp"

#include <cmath>

#include "base/child_processes.hpp"
#include "base/error.hpp"
#include "base/serial.hpp"

namespace traincast {

namespace {

// All of a timeline's times, so that writing and reading cannot differ.
constexpr double Timeline::*kTimes[] = {&Timeline::step_s,
                                        &Timeline::compute_s,
                                        &Timeline::encode_s,
                                        &Timeline::decode_s,
                                        &Timeline::communication_s,
                                        &Timeline::exposed_encode_s,
                                        &Timeline::exposed_communication_s,
                                        &Timeline::exposed_decode_s,
                                        &Timeline::slowdown_s,
                                        &Timeline::wait_s,
                                        &Timeline::mean_wait_s,
                                        &Timeline::busiest_link_s};

void write(Writer& writer, const Timeline& timeline) {
  for (auto time : kTimes) writer.put(timeline.*time);
  writer.put_all(std::span(timeline.sent_bytes));
  writer.put_all(std::span(timeline.received_bytes));
  writer.put<std::uint64_t>(timeline.tier_loads.size());
  for (const TierLoad& load : timeline.tier_loads) {
    writer.put_text(load.tier);
    writer.put(load.bytes);
    writer.put(load.busiest_bytes);
    writer.put(load.busiest_s);
  }
  writer.put(timeline.transfers);
  writer.put_text(timeline.engine);
  writer.put(timeline.slowest);
  writer.put<std::uint64_t>(timeline.tracks.size());
  for (const LearnerTrack& track : timeline.tracks) {
    writer.put(track.learner);
    writer.put_all(std::span<const Interval>(track.intervals));
  }
}

Timeline read_timeline(Reader& reader) {
  Timeline timeline;
  for (auto time : kTimes) timeline.*time = reader.get<double>();
  timeline.sent_bytes = reader.get_all<Bytes>();
  timeline.received_bytes = reader.get_all<Bytes>();
  auto tiers = reader.get<std::uint64_t>();
  for (std::uint64_t i = 0; i < tiers; ++i) {
    TierLoad& load = timeline.tier_loads.emplace_back();
    load.tier = reader.get_text();
    load.bytes = reader.get<Bytes>();
    load.busiest_bytes = reader.get<Bytes>();
    load.busiest_s = reader.get<double>();
    timeline.tier_bytes.emplace_back(load.tier, load.bytes);
  }
  timeline.transfers = reader.get<std::uint64_t>();
  timeline.engine = reader.get_text();
  timeline.slowest = reader.get<LearnerId>();
  auto tracks = reader.get<std::uint64_t>();
  for (std::uint64_t i = 0; i < tracks; ++i) {
    auto learner = reader.get<LearnerId>();
    timeline.tracks.push_back({learner, reader.get_all<Interval>()});
  }
  return timeline;
}

void check_topology(const Topology& topology, std::uint32_t learners) {
  if (std::string why = topology.refuses(learners); !why.empty())
    throw InputError("topology refuses " + std::to_string(learners) + " learners: " + why);
}

}  // namespace

Timeline replay_step(const StepProgram& program, const Topology& topology, Engine engine) {
  const Topology* topologies[] = {&topology};
  return replay_steps({&program, 1}, topologies, {&engine, 1}, 1, nullptr).front();
}

std::vector<Timeline> replay_steps(std::span<const StepProgram> programs,
                                   std::span<const Topology* const> topologies,
                                   std::span<const Engine> engines, unsigned at_once,
                                   const std::function<void(std::size_t)>& done) {
  if (programs.size() != topologies.size() || programs.size() != engines.size())
    throw SimulationError("replay: " + std::to_string(programs.size()) +
                          " step programs need as many topologies and engines, got " +
                          std::to_string(topologies.size()) + " and " + std::to_string(engines.size()));
  for (std::size_t i = 0; i < programs.size(); ++i) check_topology(*topologies[i], programs[i].learners);
  auto results = run_in_children(
      programs.size(), at_once,
      [&](std::size_t i) {
        auto cluster = topologies[i]->build(programs[i].learners);
        Timeline timeline = replay_step_here(programs[i], *cluster, engines[i]);
        Writer writer;
        write(writer, timeline);
        return writer.bytes();
      },
      done);
  std::vector<Timeline> timelines;
  for (const std::string& bytes : results) {
    Reader reader(bytes);
    timelines.push_back(read_timeline(reader));
  }
  return timelines;
}

CollectiveTimes replay_collective(const Schedule& schedule, const Topology& topology,
                                  const std::vector<double>& starts, Engine engine,
                                  const Transport& transport, std::optional<std::uint32_t> learners) {
  check_topology(topology, learners.value_or(schedule.ranks()));
  if (starts.size() != schedule.ranks())
    throw SimulationError("replay: " + std::to_string(schedule.ranks()) + " ranks need as many starts, got " +
                          std::to_string(starts.size()));
  for (double start : starts)
    if (!std::isfinite(start) || start < 0)
      throw SimulationError("replay: starts must be finite and not negative, got " + std::to_string(start));
  auto results = run_in_children(
      1, 1,
      [&](std::size_t) {
        CollectiveTimes times = replay_collective_here(
            schedule, *topology.build(learners.value_or(schedule.ranks())), starts, engine, transport);
        Writer writer;
        writer.put_all(std::span<const double>(times.finish_s));
        write(writer, times.timeline);
        return writer.bytes();
      },
      nullptr);
  Reader reader(results.front());
  CollectiveTimes times;
  times.finish_s = reader.get_all<double>();
  times.timeline = read_timeline(reader);
  return times;
}

}  // namespace traincast
