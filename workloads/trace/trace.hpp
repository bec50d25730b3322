// Recorded gradients: a folder with manifest.json and safetensors files of one step each, layer → [learners,
// …shape].
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/exchange.hpp"
#include "base/json.hpp"
#include "workloads/timeline/timeline.hpp"
#include "workloads/trace/stored.hpp"

namespace traincast {

struct TraceFile {
  std::string path;  ///< relative to the folder
  std::uint64_t step = 0;
  LearnerId first_learner = 0, last_learner = 0;  ///< [first, last)
  std::string sha256;
};

struct Manifest {
  std::string model;
  Json workload;  ///< the model's parameters as a scenario writes them; null where it is no workload of ours
  std::vector<TensorInfo> layers;
  std::uint32_t learners = 0;
  std::vector<std::uint64_t> steps;
  ComputeTimeline timeline;
  Json optimizer;  ///< {"name", "learning_rate", …}
  Json data;       ///< {"name", "batch", "samples_per_learner", …}: where the gradients come from
  std::uint64_t seed = 0;
  Json versions;
  std::string device;
  Stored values = Stored::f32;
  double rounding_error = 0;  ///< ‖stored − computed‖ / ‖computed‖ over all values; NaN: unknown
  std::vector<TraceFile> files;

  std::uint64_t parameters() const;
  Json to_json() const;
  static Manifest from_json(const JsonReader& reader);
};

/// Bytes of one step's files.
std::uint64_t trace_step_bytes(const std::vector<TensorInfo>& layers, std::uint32_t learners,
                               Stored values = Stored::f32);

/// Writes step files as the learners produce them; offsets are known beforehand, so threads may write at
/// once. The manifest is written last: a folder without one is no trace. Destroyed before finish(), it
/// removes what it wrote, unless that is to be kept. Finished files are noted with their hashes in
/// kUnfinishedLog meanwhile, so that a writer of the same training can take them up.
class TraceWriter {
 public:
  /// `manifest` without steps and files. Makes the folder where it is absent; refuses one that holds a
  /// manifest, or steps of another training.
  TraceWriter(std::string folder, Manifest manifest);
  ~TraceWriter();
  /// Whether an earlier writer left this step whole (files and hashes are checked); it is then a step of this
  /// trace, in place of begin_step … end_step. Never where values are rounded: training could not go on from
  /// them as it would have.
  bool take_up(std::uint64_t step);
  void read_back(LearnerId learner, std::uint32_t tensor, std::span<float> into) const;  ///< of that step
  /// When this is destroyed before finish(), steps that are finished stay in the folder.
  void keep_unfinished();
  void begin_step(std::uint64_t step);  ///< numbers ascend
  /// Thread-safe among learners; each learner's tensors come from one thread at a time. Throws InputError
  /// where a finite value is beyond the type in which the trace holds its values.
  void write(LearnerId learner, std::uint32_t tensor, std::span<const float> gradient);
  void end_step();  ///< every learner's every tensor has been written; hashing goes on behind
  const Manifest& finish(const ComputeTimeline& timeline);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

inline constexpr const char* kUnfinishedLog = "unfinished.log";

/// Gradients by step, learner and tensor, wherever they come from.
class GradientTrace {
 public:
  virtual ~GradientTrace() = default;
  virtual const Manifest& manifest() const = 0;
  /// `step` counts within the trace (0 … steps−1). Thread-safe, and the same whenever it is asked for.
  virtual void read(std::size_t step, LearnerId learner, std::uint32_t tensor,
                    std::span<float> into) const = 0;
};

/// Opens a trace and checks all of it once: manifest, file sizes, hashes, headers, and every value finite.
/// Throws InputError that names file, tensor, learner and index.
class TraceReader final : public GradientTrace {
 public:
  TraceReader(const std::string& folder, unsigned threads);
  ~TraceReader() override;
  const Manifest& manifest() const override;
  void read(std::size_t step, LearnerId learner, std::uint32_t tensor, std::span<float> into) const override;
  /// A part of it: the elements from `first` on.
  void read(std::size_t step, LearnerId learner, std::uint32_t tensor, std::uint64_t first,
            std::span<float> into) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace traincast
