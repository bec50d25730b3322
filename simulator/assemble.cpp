#include "simulator/assemble.hpp"

#include <algorithm>
#include <functional>
#include <map>
#include <memory>

#include "base/error.hpp"
#include "base/serial.hpp"
#include "simulator/collectives/collective_catalog.hpp"
#include "simulator/stack_rules.hpp"

namespace traincast {

namespace {

// One value for all learners, or one each where single learners have more to do: as much each.
std::vector<double> by_learner(double each, double alone, const Phase& phase, Stage stage,
                               std::uint32_t learners) {
  std::vector<double> seconds{each};
  if (alone == 0) return seconds;
  for (const Work& work : phase.work)
    if (work.stage == stage && work.only) {
      seconds.resize(learners, each);
      seconds[*work.only] = each + alone;
    }
  return seconds;
}

// Whether this phase works in this step, where others may not (warm-ups, training of a basis); a given time
// of a method that states no work counts in every step.
bool works(const ExchangeRecord& record, std::size_t step, std::size_t bucket, std::size_t phase,
           Stage stage) {
  auto states = [&](const StepRecord& of) {
    const std::vector<Phase>& phases = of.buckets[bucket].phases;
    return phase < phases.size() && std::any_of(phases[phase].work.begin(), phases[phase].work.end(),
                                                [&](const Work& work) { return work.stage == stage; });
  };
  return states(record.steps[step]) || std::none_of(record.steps.begin(), record.steps.end(), states);
}

void write_op(Writer& key, const Op& op, const std::string& algorithm) {
  key.put(op.word);
  key.put(op.element);
  key.put(op.count);
  key.put_all(std::span<const Bytes>(op.bytes));
  key.put(op.root);
  key.put(op.entry_bytes);
  key.put(op.supports.get());  // of one record, which lives as long as keys are compared
  key.put(op.pulled);
  for (const auto& round : op.rounds) key.put_all(std::span<const Transfer>(round));
  key.put(op.waits);
  key.put(op.members.among);
  key.put(op.members.node_size);
  key.put_text(algorithm);
}

Collective collective_of(const Op& op, std::uint32_t learners, const NetworkEstimate& network,
                         const Topology& topology, std::shared_ptr<KnownUnions> unions) {
  Collective collective;
  collective.word = op.word;
  collective.ranks = learners;
  collective.element_bytes = size_of(op.element);
  collective.count = op.count;
  collective.bytes = op.bytes;
  collective.root = op.root;
  collective.group = std::max(network.sharing, network.node_size);
  collective.supports = op.supports;
  collective.unions = std::move(unions);
  collective.entry_bytes = op.entry_bytes;
  collective.pulled = op.pulled;
  if (learners > 1) collective.servers = topology.servers();
  if (!op.rounds.empty())
    collective.rounds = std::make_shared<const std::vector<std::vector<Transfer>>>(op.rounds);
  return collective;
}

// By word, added up; where some of a word's collectives have a quicker algorithm, it is named.
void note_choice(std::vector<AssembledStep::NamedChoice>& named, const CarriedCollective& carried) {
  const auto& [word, algorithm] = carried.algorithms.back();
  auto at = std::ranges::find(named, word, &AssembledStep::NamedChoice::word);
  if (at == named.end()) at = named.insert(at, {word, algorithm, {}, 0, 0});
  if (at->quicker.empty()) at->quicker = carried.quicker;
  at->seconds += carried.estimate_s;
  at->quicker_s += carried.quicker_s;
}

/// A collective of the step, and the algorithm that carries it.
struct Sent {
  Collective collective;
  std::string algorithm;
};

// Sums of one element type and gathered messages of all can be joined; everything else travels alone.
void let_fuse(PhaseProgram& phase, const Op& op, const Collective& collective) {
  if (op.members.among != Among::all) return;
  if (op.word == Word::all_reduce) {
    phase.fusion_kind = 1 + static_cast<std::uint32_t>(op.element);
    phase.fusion_bytes = collective.count * collective.element_bytes;
  } else if (op.word == Word::all_gather) {
    phase.fusion_kind = UINT32_MAX;
    phase.fusion_bytes = *std::max_element(op.bytes.begin(), op.bytes.end());
  }
}

// A learner that pushes nothing is not waited for, where others push; nor has it anything to encode.
std::vector<bool> only_receives(const Op& op) {
  if (op.word != Word::push_pull || std::ranges::count(op.bytes, Bytes{0}) == 0) return {};
  std::vector<bool> silent;
  for (Bytes bytes : op.bytes) silent.push_back(bytes == 0);
  if (std::ranges::count(silent, false) == 0) silent.clear();
  return silent;
}

// Joined, collectives travel by the algorithm of the first.
std::function<PhaseProgram(std::span<const PhaseId>)> fusing(
    const Stack& stack, std::shared_ptr<const std::map<PhaseId, Sent>> sent, const NetworkEstimate& network) {
  return [stack, sent, network](std::span<const PhaseId> phases) {
    std::vector<Collective> parts;
    for (PhaseId id : phases) parts.push_back(sent->at(id).collective);
    const Sent& first = sent->at(phases.front());
    CarriedCollective carried = carry(stack, first.algorithm, joined(parts), network);
    PhaseProgram program;
    program.schedule = carried.schedule;
    program.launch_s = carried.launch_s;
    program.landing_s = carried.landing_s;
    program.word = first.collective.word;
    return program;
  };
}

}  // namespace

NetworkEstimate estimate_of(const Topology& topology, std::uint32_t learners) {
  NetworkEstimate network;
  if (learners == 1) return network;
  network = {topology.longest_latency(learners), topology.narrowest_bandwidth(learners),
             topology.sharing(learners)};
  network.node_size = topology.node_size(learners);
  network.neighbour_latency = topology.neighbour_latency(learners);
  network.neighbour_flows = topology.neighbour_flows(learners);
  std::uint32_t node = std::max(network.sharing, network.node_size);
  if (node > 1 && node < learners) {
    auto [latency, bandwidth] = topology.within_node(learners, node);
    network.node = {latency, bandwidth};
  }
  return network;
}

AssembledStep assemble_step(const Scenario& scenario, const ExchangeRecord& record, std::size_t step,
                            const ComputeTimeline& compute, const CodecSeconds& codec,
                            const Topology& topology, std::shared_ptr<KnownUnions> unions) {
  AssembledStep result;
  StepProgram& program = result.program;
  std::uint32_t learners = record.learners;
  NetworkEstimate network = estimate_of(topology, learners);
  program.learners = learners;
  const StepRecord& of_step = record.steps[step];
  program.forward_s = compute.forward_s + (of_step.passes - 1) * (compute.forward_s + compute.backward_s());
  program.backward_s = compute.backward_s();
  program.optimizer_s = compute.optimizer_s;
  program.overlap = scenario.overlap && !of_step.after_backward;
  program.servers = topology.servers();
  Stack stack = scenario.stack.entry->make(scenario.stack.parameters);
  program.transport = transport_of(stack, network);
  program.slowdown = stack.slowdown;
  program.slower = scenario.speeds.entry->make(scenario.speeds.parameters, learners);
  auto sent = std::make_shared<std::map<PhaseId, Sent>>();
  program.negotiation.cycle_s = learners > 1 ? stack.cycle_s : 0;
  program.negotiation.fusion = stack.fusion;
  if (stack.fusion > 0) program.negotiation.fuse = fusing(stack, sent, network);
  Writer key;
  key.put(learners);
  key.put(program.forward_s);
  key.put(program.backward_s);
  key.put(program.optimizer_s);
  key.put(program.overlap);
  key.put_all(std::span<const double>(program.slower));

  const std::vector<BucketExchange>& exchanges = of_step.buckets;
  const CodecSeconds::Buckets& times = codec.of(record, step);
  for (std::size_t b = 0; b < exchanges.size(); ++b) {
    BucketProgram& bucket = program.buckets.emplace_back();
    for (const TensorInfo& tensor : record.buckets[b].tensors)
      bucket.ready_s = std::max(bucket.ready_s, compute.ready_s[tensor.id]);
    key.put(bucket.ready_s);
    const std::vector<Phase>& phases = exchanges[b].phases;
    for (std::size_t p = 0; p < phases.size(); ++p) {
      PhaseProgram& phase = bucket.phases.emplace_back();
      const CodecSeconds::PhaseTime& time = times[b][p];
      auto seconds = [&](Stage stage) -> std::vector<double> {
        if (!works(record, step, b, p, stage)) return {0};
        const auto at = static_cast<std::size_t>(stage);
        return by_learner(time.each_s[at], time.only_s[at], phases[p], stage, learners);
      };
      phase.encode_s = seconds(Stage::encode);
      phase.decode_s = seconds(Stage::decode);
      key.put_all(std::span<const double>(phase.encode_s));
      key.put_all(std::span<const double>(phase.decode_s));
      key.put(phases[p].op.has_value());
      if (!phases[p].op) continue;
      const Op& op = *phases[p].op;
      const bool travels = op.members.size(learners) > 1;
      Collective collective = collective_of(op, learners, network, topology, unions);
      const std::string& named = scenario.algorithm(stack.carrier(op.word));
      CarriedCollective carried = carry(stack, travels ? named : "auto", collective, op.members, network);
      phase.schedule = carried.schedule;
      phase.launch_s = travels ? carried.launch_s : 0;
      phase.landing_s = travels ? carried.landing_s : 0;
      phase.word = op.word;
      phase.waits = op.waits;
      phase.only_receives = only_receives(op);
      if (!phase.only_receives.empty()) {
        if (phase.encode_s.size() == 1) phase.encode_s.resize(learners, phase.encode_s.front());
        for (LearnerId i = 0; i < learners; ++i)
          if (phase.only_receives[i]) phase.encode_s[i] = 0;
      }
      let_fuse(phase, op, collective);
      sent->emplace(PhaseId{b, p}, Sent{collective, carried.algorithms.back().second});
      if (learners > 1 && named != "auto") note_choice(result.named, carried);
      write_op(key, op, carried.algorithms.back().second);
      for (const auto& used : carried.algorithms)
        if (travels &&
            std::find(result.algorithms.begin(), result.algorithms.end(), used) == result.algorithms.end())
          result.algorithms.push_back(used);
    }
  }
  result.key = key.bytes();
  return result;
}

}  // namespace traincast
