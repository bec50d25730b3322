// The scenario's method with its error feedback over the whole model, one step after the other.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "compressors/error_feedback.hpp"
#include "simulator/pass/compression_pass.hpp"

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

  const std::vector<Bucket>& buckets() const { return buckets_; }
  void save(Writer& writer) const;
  void load(Reader& reader);

 private:
  class Unit;
  std::uint32_t learners_;
  unsigned threads_;
  std::unique_ptr<Compressor> compressor_;  // for questions about the method alone
  std::vector<Bucket> buckets_;
  std::vector<std::unique_ptr<Unit>> units_;
  std::vector<std::uint32_t> regimes_;  // the method's, in order of appearance
};

/// Calls f(0 … count − 1), several at a time; the first exception is thrown here.
void in_parallel(std::size_t count, unsigned threads, const std::function<void(std::size_t)>& f);

}  // namespace traincast
