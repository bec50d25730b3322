#include "simulator/pass/accelerator_times.hpp"

namespace traincast {

namespace {

constexpr double kWord = 4;

// v ← μ·v, v ← v + g, p ← p − η·v: three operations, which read and write eight vectors.
LayerPass update_of(const TensorInfo& layer) {
  auto n = static_cast<double>(layer.numel());
  return {5 * n, 8 * kWord * n, 3};
}

// Of an embedding, forward reads only the rows that its samples name; they count as activations.
bool reads_all(const TensorInfo& layer) { return !layer.kind.starts_with("embedding"); }

bool sizes_vary(const Op& op) { return op.word != Word::all_reduce && op.word != Word::reduce_scatter; }

}  // namespace

ComputeTimeline accelerator_compute(const Accelerator& accelerator, const std::vector<TensorInfo>& layers,
                                    const std::vector<LayerCost>& costs, std::uint64_t batch) {
  ComputeTimeline timeline;
  timeline.ready_s.resize(layers.size());
  auto samples = static_cast<double>(batch);
  double backward = 0;
  for (std::size_t i = layers.size(); i-- > 0;) {
    const LayerCost& cost = costs[i];
    double weights = kWord * static_cast<double>(layers[i].numel());
    if (cost.flops > 0 || cost.bytes > 0 || cost.backward_bytes > 0) {
      timeline.forward_s += accelerator.seconds(
          LayerPass{cost.flops * samples, cost.bytes * samples + (reads_all(layers[i]) ? weights : 0),
                    cost.operations});
      backward += accelerator.seconds(LayerPass{
          2 * cost.flops * samples, cost.backward_bytes * samples + 2 * weights, 2 * cost.operations});
    }
    timeline.ready_s[i] = backward;
    timeline.optimizer_s += accelerator.seconds(update_of(layers[i]));
  }
  return timeline;
}

CodecSeconds accelerator_codec(const Scenario& scenario, const ExchangeRecord& record) {
  const Accelerator& accelerator = *scenario.accelerator;
  const bool variable = scenario.compressor.entry->make(scenario.compressor.parameters, scenario.seed)
                            ->sizes_depend_on_values() ||
                        (scenario.training && scenario.training->kind == TrainingKind::rank_dad);
  auto times_of = [&](const Phase& phase) {
    CodecSeconds::PhaseTime time;
    for (const Work& work : phase.work)
      (work.only ? time.only_s : time.each_s)[static_cast<std::size_t>(work.stage)] +=
          accelerator.seconds(work);
    if (variable && phase.op && sizes_vary(*phase.op))
      time.each_s[static_cast<std::size_t>(Stage::encode)] += accelerator.synchronisation_s;
    return time;
  };
  CodecSeconds result;
  for (const StepRecord& step : record.steps) {
    CodecSeconds::Buckets& buckets = result.steps.emplace_back();
    for (const BucketExchange& bucket : step.buckets) {
      auto& phases = buckets.emplace_back();
      for (const Phase& phase : bucket.phases) phases.push_back(times_of(phase));
    }
  }
  return result;
}

}  // namespace traincast
