// The dense trajectory of learners that traincast-capture serves from a process of its own.
#pragma once

#include <functional>
#include <vector>

#include "base/linked_program.hpp"
#include "base/shared_memory.hpp"
#include "simulator/pass/gradient_stream.hpp"
#include "simulator/pass/served_learners.hpp"

namespace traincast {

struct LearnerStreamOptions : ServedLearners {
  std::uint64_t after = 0;  ///< steps trained before the first that can be walked
  std::uint64_t steps = 1;  ///< that can be walked
};

/// Computes gradients a few learners at a time, adds them up to the mean and has it applied, as a capture
/// does. Kept are each step's parameters, from which its gradients are computed again.
class LearnerStream final : public GradientStream {
 public:
  /// Throws InputError where parameters and a few gradients do not fit into this machine's memory. Make it
  /// only while this process has a single thread. What the learners' process needs for passes it has taken
  /// after.
  explicit LearnerStream(LearnerStreamOptions options);

  const Manifest& manifest() const override { return manifest_; }
  ProcessMemory memory() override;
  void walk(std::size_t step, const Take& take) override;

 private:
  std::span<float> row(std::uint32_t number);
  void compute(std::uint64_t step, std::uint32_t at, LearnerId first, std::uint32_t count);
  void train(std::uint64_t step, std::uint32_t at, std::uint32_t next, const Take& take);
  void add_up(std::uint32_t count);
  void hand_over(LearnerId first, std::uint32_t count, const Take& take);
  void take_mean();

  LearnerStreamOptions options_;
  std::uint64_t parameters_;
  std::uint32_t at_once_;   // learners whose gradients are there: the first rows
  std::uint32_t mean_row_;  // then the mean gradient, and the parameters of each step
  SharedMemory memory_;
  LinkedProgram program_;
  Manifest manifest_;
  std::vector<double> sum_;
  std::size_t trained_ = 0;  // steps that were walked
  bool begun_ = false;
};

}  // namespace traincast
