// From what a method sent, how long things take, and a platform: the program of one step.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "simulator/collectives/collective_catalog.hpp"
#include "simulator/pass/compression_pass.hpp"
#include "simulator/step/step_program.hpp"
#include "workloads/timeline/timeline.hpp"

namespace traincast {

struct AssembledStep {
  StepProgram program;
  /// "all_reduce" → "ring", in order of first use.
  std::vector<std::pair<Word, std::string>> algorithms;
  /// Collectives for which the scenario names an algorithm, where "auto" would take another: seconds of all
  /// of its word.
  struct NamedChoice {
    Word word;
    std::string algorithm, quicker;
    double seconds = 0, quicker_s = 0;
  };
  std::vector<NamedChoice> named;
  /// Equal keys replay alike on the same topology.
  std::string key;
};

/// With it "auto" chooses algorithms.
NetworkEstimate estimate_of(const Topology& topology, std::uint32_t learners);

/// Throws InputError where an algorithm that the scenario names cannot carry a collective of the method.
/// `unions` are counted once for all steps that are assembled with it.
AssembledStep assemble_step(const Scenario& scenario, const ExchangeRecord& record, std::size_t step,
                            const ComputeTimeline& compute, const CodecSeconds& codec,
                            const Topology& topology, std::shared_ptr<KnownUnions> unions = nullptr);

}  // namespace traincast
