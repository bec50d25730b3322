// The gradients of a run: a recorded trace, one that traincast-capture trains now, a stream of it, or drawn
// values.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "simulator/pass/exchange_file.hpp"
#include "simulator/pass/gradient_stream.hpp"
#include "simulator/scenario/scenario.hpp"
#include "workloads/timeline/layer_cost.hpp"
#include "workloads/trace/trace.hpp"

namespace traincast {

struct RunPlace {
  std::string scenario_file;  ///< named in messages; a trace's path is relative to its folder
  std::filesystem::path out;  ///< empty: nothing is kept
  unsigned threads = 1;
  bool quiet = false;
};

/// Removes a folder that only this run needs.
struct RemoveFolder {
  bool keep_for_resuming = false;  ///< where an interrupt ends the run
  void operator()(const std::filesystem::path* folder) const;
};

using TemporaryFolder = std::unique_ptr<const std::filesystem::path, RemoveFolder>;
/// A new one. Throws InputError where none can be made.
TemporaryFolder make_temporary_folder();

/// Of the workload's data as they are now: other contents of the same files are other data, on which nothing
/// that was begun goes on.
std::string digest_of_data(const Scenario& scenario);

/// The program that trains, beside this one. Throws InputError where it is not there.
std::filesystem::path capture_program();

/// Gradients for as many learners and steps as these points need at most; they share source, workload and
/// seed. Where training is in the loop there are none before it runs: the manifest says what is trained. A
/// trace that was captured for this run is removed with the object; one that an interrupted run left behind
/// under `out` is taken up again where it fits.
class Gradients {
 public:
  Gradients(std::span<const Point* const> points, const RunPlace& place);
  const Manifest& manifest() const {
    return stream_ ? stream_->manifest() : trace_ ? trace_->manifest() : shapes_;
  }
  /// Null where there are none that stay.
  const GradientTrace* trace() const { return trace_.get(); }
  /// Null unless gradients are there only while they are computed.
  GradientStream* stream() const { return stream_.get(); }
  /// Null unless one was recorded.
  const RecordedExchange* exchange() const { return exchange_ ? &*exchange_ : nullptr; }
  /// What each layer costs: of a workload of ours, or of a model whose table has these tensors; empty where
  /// neither is known.
  std::vector<LayerCost> costs() const;
  /// Samples of a learner's mini-batch; 0 where that is not known.
  std::uint64_t batch() const;

 private:
  void refuse_other_workload(const Scenario& scenario, const std::string& file,
                             const std::filesystem::path& folder) const;

  TemporaryFolder temporary_;  ///< null for a trace of somebody else
  std::unique_ptr<GradientTrace> trace_;
  std::unique_ptr<GradientStream> stream_;
  Manifest shapes_;  ///< layers only, where nothing is trained
  std::optional<RecordedExchange> exchange_;
  std::vector<LayerCost> costs_;  ///< of a layer table
};

}  // namespace traincast
