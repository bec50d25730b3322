// The scenario's method with its error feedback over the whole model, one step after the other.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "simulator/pass/unit_pass.hpp"
#include "simulator/training/similarity.hpp"

namespace traincast {

class ModelMethod {
 public:
  /// Throws InputError where the learners' memories would not fit into this machine's memory.
  ModelMethod(const Scenario& scenario, std::span<const TensorInfo> layers, unsigned threads);
  ModelMethod(const ModelMethod&) = delete;
  ~ModelMethod();

  /// What the learners send of their vectors, which are as long as the model, and what all of them then have.
  /// Does not depend on the number of threads.
  StepRecord aggregate(const Step& step, std::span<const std::span<const float>> vectors,
                       std::span<float> average);

  /// Of the learners' memories after the last step, and of what they selected in it.
  Similarity similarity() const;

  const std::vector<Bucket>& buckets() const { return buckets_; }
  void save(Writer& writer) const;
  void load(Reader& reader);

 private:
  struct Unit;
  std::uint32_t learners_;
  unsigned threads_;
  Memories memories_;
  std::unique_ptr<Compressor> compressor_;  // for questions about the method alone
  std::vector<Bucket> buckets_;
  std::vector<std::unique_ptr<Unit>> units_;
  RegimeNumbers regimes_;
};

}  // namespace traincast
