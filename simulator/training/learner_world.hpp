// Learners that traincast-capture serves from a process of its own.
#pragma once

#include <vector>

#include "base/linked_program.hpp"
#include "base/shared_memory.hpp"
#include "simulator/pass/served_learners.hpp"
#include "simulator/training/training_algorithm.hpp"

namespace traincast {

struct WorldOptions : ServedLearners {
  std::size_t vectors = 0;
  std::uint64_t room = 0;  ///< numbers, for factors
};

class LearnerWorld : public World, public FactorWorld {
 public:
  /// Throws InputError where the vectors would not fit into this machine's memory. Make it only while this
  /// process has a single thread.
  explicit LearnerWorld(WorldOptions options);

  std::uint32_t learners() const override { return options_.learners; }
  std::span<const TensorInfo> layers() const override { return options_.layers; }
  std::span<float> vector(std::size_t i) override;
  void initial(std::span<float> into) override;
  std::vector<double> gradients(std::span<const Pass> passes) override;
  Evaluation evaluate(std::span<const float> at, std::uint64_t samples) override;
  FactorWorld* factored() override { return this; }
  std::span<float> room() override;
  std::vector<double> factors(FactorForm form, std::span<const FactorPass> passes) override;
  void multiply(FactorForm form, std::uint64_t samples, std::span<const float> at,
                std::span<const std::span<const float>> sent, std::span<float> into) override;

  pid_t process() const { return program_.process(); }

 private:
  std::uint32_t row_of(std::span<const float> vector) const;
  std::uint64_t place_of(std::span<const float> factors) const;
  LearnerPass in_rows(const Pass& pass) const;

  WorldOptions options_;
  std::uint64_t parameters_ = 0;
  SharedMemory memory_;
  LinkedProgram program_;
};

}  // namespace traincast
