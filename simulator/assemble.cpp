#include "simulator/assemble.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "base/serial.hpp"
#include "simulator/collectives/collective_catalog.hpp"

namespace traincast {

namespace {

// One value for all learners, or one each where a single learner has more to do.
std::vector<double> by_learner(double each, double alone, const Phase& phase, Stage stage,
                               std::uint32_t learners) {
  std::vector<double> seconds{each};
  if (alone == 0) return seconds;
  for (const Work& work : phase.work)
    if (work.stage == stage && work.only) {
      seconds.assign(learners, each);
      seconds[*work.only] += alone;
      break;
    }
  return seconds;
}

void write_op(Writer& key, const Op& op, const std::string& algorithm) {
  key.put(op.word);
  key.put(op.element);
  key.put(op.count);
  key.put_all(std::span<const Bytes>(op.bytes));
  key.put(op.root);
  key.put(op.entry_bytes);
  key.put(op.supports != nullptr);
  if (op.supports)
    for (const auto& support : *op.supports) key.put_all(std::span<const Index>(support));
  key.put(op.pulled);
  for (const auto& round : op.rounds) key.put_all(std::span<const Transfer>(round));
  key.put(op.waits);
  key.put_text(algorithm);
}

}  // namespace

AssembledStep assemble_step(const Scenario& scenario, const ExchangeRecord& record, std::size_t step,
                            const ComputeTimeline& compute, const CodecSeconds& codec,
                            const Topology& topology) {
  AssembledStep result;
  StepProgram& program = result.program;
  std::uint32_t learners = record.learners;
  NetworkEstimate network;
  if (learners > 1) {
    network = {topology.longest_latency(learners), topology.narrowest_bandwidth(learners),
               topology.sharing(learners)};
    if (network.sharing > 1)
      network.node = {topology.longest_latency(network.sharing),
                      topology.narrowest_bandwidth(network.sharing)};
  }
  program.learners = learners;
  program.forward_s = compute.forward_s;
  program.backward_s = compute.backward_s();
  program.optimizer_s = compute.optimizer_s;
  program.overlap = scenario.overlap;
  Writer key;
  key.put(learners);
  key.put(program.forward_s);
  key.put(program.backward_s);
  key.put(program.optimizer_s);
  key.put(scenario.overlap);

  const std::vector<BucketExchange>& exchanges = record.steps[step].buckets;
  for (std::size_t b = 0; b < exchanges.size(); ++b) {
    BucketProgram& bucket = program.buckets.emplace_back();
    for (const TensorInfo& tensor : record.buckets[b].tensors)
      bucket.ready_s = std::max(bucket.ready_s, compute.ready_s[tensor.id]);
    key.put(bucket.ready_s);
    const std::vector<Phase>& phases = exchanges[b].phases;
    for (std::size_t p = 0; p < phases.size(); ++p) {
      PhaseProgram& phase = bucket.phases.emplace_back();
      const CodecSeconds::PhaseTime& time = codec.buckets[b][p];
      phase.encode_s = by_learner(time.each_s[0], time.only_s[0], phases[p], Stage::encode, learners);
      phase.decode_s = by_learner(time.each_s[1], time.only_s[1], phases[p], Stage::decode, learners);
      key.put_all(std::span<const double>(phase.encode_s));
      key.put_all(std::span<const double>(phase.decode_s));
      key.put(phases[p].op.has_value());
      if (!phases[p].op) continue;
      const Op& op = *phases[p].op;
      Collective collective{op.word, learners,        size_of(op.element), op.count,      op.bytes,
                            op.root, network.sharing, op.supports,         op.entry_bytes};
      const auto& entry = choose_algorithm(scenario.algorithm(op.word), collective, network);
      phase.schedule = entry.make.schedule(collective);
      phase.word = op.word;
      phase.waits = op.waits;
      write_op(key, op, std::string(entry.name));
      std::pair<Word, std::string> used{op.word, entry.name};
      if (learners > 1 &&
          std::find(result.algorithms.begin(), result.algorithms.end(), used) == result.algorithms.end())
        result.algorithms.push_back(used);
    }
  }
  result.key = key.bytes();
  return result;
}

}  // namespace traincast
