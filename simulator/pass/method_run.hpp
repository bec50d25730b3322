// A method at one number of learners: its units, what they take, and what they gave.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "simulator/pass/unit_walk.hpp"

namespace traincast {

class MethodRun {
 public:
  /// The scenario and the trace must outlive it; of the trace nothing but the manifest is read here.
  MethodRun(const Scenario& scenario, const GradientTrace& trace);

  const Scenario& scenario() const { return scenario_; }
  std::size_t units() const { return units_.size(); }
  const Bucket& unit(std::size_t unit) const { return units_[unit].seen; }
  /// Elements that a unit goes through, over all learners.
  double work(std::size_t unit) const;

  /// What learners keep of a unit from step to step, in memory.
  double kept_bytes(std::size_t unit) const;
  /// That, what is applied and the sums beside it, and messages that are so many bytes for each element.
  double bytes(std::size_t unit, double message) const;
  /// Bytes of a learner's message for each element: as large as the vector, or, where all are alike, as one
  /// turns out to be.
  double longest_message(std::size_t unit) const;
  /// Whether memories of floats are in memory.
  bool keeps_floats(std::size_t unit) const;

  /// Whether the method must be told ‖gradient‖ of the whole model before a step.
  bool needs_norms() const { return compressor_->needs_gradient_norms(); }
  void read_norms();  ///< of all steps, from the trace
  void set_norms(std::size_t step,
                 std::span<const double> learners);  ///< of one, of as many learners or more

  /// A unit's steps, in their order; its memories are there from begin to end. Units may be walked from
  /// several threads.
  void begin(std::size_t unit);
  void step(std::size_t unit, std::size_t step, GradientSums& sums);
  void end(std::size_t unit);

  /// After all units.
  ExchangeRecord record();

 private:
  /// Learners whose vectors are there at once.
  double learners_kept() const { return memories_ == Memories::mean ? 1 : scenario_.learners; }

  const Scenario& scenario_;
  const GradientTrace& trace_;
  std::unique_ptr<Compressor> compressor_;
  Memories memories_;
  std::vector<Bucket> buckets_;
  std::vector<CompressorUnit> units_;
  GradientNorms norms_;
  std::vector<std::unique_ptr<UnitWalk>> walks_;  // by unit, while it is walked
  std::vector<std::vector<UnitStep>> walked_;     // by unit and step
};

struct Job {
  std::size_t run = 0, unit = 0;
  double work = 0, bytes = 0;
};

/// Runs jobs from several threads, the longest first, those that fit beside each other into `room`; of
/// several failures the first in their order is rethrown.
void run_jobs(std::vector<Job> jobs, unsigned threads, double room,
              const std::function<void(const Job&)>& run);

}  // namespace traincast
