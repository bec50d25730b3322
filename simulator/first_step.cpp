#include "simulator/first_step.hpp"

#include "simulator/assemble.hpp"
#include "simulator/pass/shape_exchange.hpp"
#include "simulator/scenario/placed.hpp"

namespace traincast {

namespace {

// The choice of algorithms does not depend on times.
CodecSeconds no_time(const ExchangeRecord& record) {
  CodecSeconds codec;
  CodecSeconds::Buckets& buckets = codec.regimes.emplace_back();
  for (const BucketExchange& bucket : record.steps.front().buckets)
    buckets.emplace_back(bucket.phases.size());
  return codec;
}

std::vector<std::shared_ptr<const Schedule>> collectives_of(const Plan& plan, const Point& point,
                                                            const RunOptions& options) {
  Point first{point.coordinates, with(point.scenario, "/steps", 1)};
  const Scenario& scenario = first.scenario;
  const Point* points[] = {&first};
  Gradients gradients(points, {plan.file, options.out, options.threads, options.quiet});
  ShapePhases shapes;
  ExchangeRecord record = exchange_of(scenario, gradients, options.threads, shapes);
  ComputeTimeline at_once;
  for (const Bucket& bucket : record.buckets)
    at_once.ready_s.resize(at_once.ready_s.size() + bucket.tensors.size());
  auto topology = scenario.platform.entry->make(scenario.platform.parameters);
  AssembledStep step = assemble_step(scenario, record, 0, at_once, no_time(record), *topology);
  std::vector<std::shared_ptr<const Schedule>> collectives;
  for (const BucketProgram& bucket : step.program.buckets)
    for (const PhaseProgram& phase : bucket.phases)
      if (phase.schedule && record.learners > 1) collectives.push_back(phase.schedule);
  return collectives;
}

}  // namespace

std::vector<std::shared_ptr<const Schedule>> first_step_collectives(const Plan& plan, const Point& point,
                                                                    const RunOptions& options) {
  return placed_in(plan.file, [&] { return collectives_of(plan, point, options); });
}

}  // namespace traincast
