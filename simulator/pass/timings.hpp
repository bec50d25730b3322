// Seconds of computing and of codecs: measured here, given, or read from the file of an earlier run. Always
// both from one source.
#pragma once

#include <string>
#include <vector>

#include "base/json.hpp"
#include "simulator/pass/compression_pass.hpp"
#include "workloads/timeline/timeline.hpp"

namespace traincast {

class Timings {
 public:
  /// What was measured or read for the workload of this scenario; null where nothing was.
  const ComputeTimeline* compute(const Scenario& scenario) const;
  void add(const Scenario& scenario, ComputeTimeline timeline);

  /// Likewise for its method, error feedback, buckets, steps and number of learners.
  const CodecSeconds* codec(const Scenario& scenario) const;
  void add(const Scenario& scenario, CodecSeconds seconds);

  Json to_json() const;
  /// Throws InputError that names file and pointer.
  static Timings read_file(const std::string& path);

 private:
  template <class Seconds>
  struct Measured {
    Json key;
    Seconds seconds;
  };
  std::vector<Measured<ComputeTimeline>> computes_;
  std::vector<Measured<CodecSeconds>> codecs_;
};

/// Timeline from given totals: gradients become ready in proportion to their elements, the last tensor first.
ComputeTimeline given_compute(const Scenario& scenario, const std::vector<TensorInfo>& layers);

/// Given totals of encoding and decoding, shared out over buckets and phases by the elements that each piece
/// of work touches. Nothing for "none" where the scenario gives nothing.
CodecSeconds given_codec(const Scenario& scenario, const ExchangeRecord& record);

}  // namespace traincast
