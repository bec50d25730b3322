// One point of a scenario file, read, checked and with its defaults filled in; and the points that a sweep
// unfolds to.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <iterator>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/catalog.hpp"
#include "compressors/compressor_catalog.hpp"
#include "compressors/error_feedback.hpp"
#include "platforms/accelerators/accelerator.hpp"
#include "platforms/stack.hpp"
#include "platforms/topology.hpp"
#include "simulator/scenario/learner_memory.hpp"
#include "simulator/scenario/options.hpp"
#include "simulator/scenario/speeds.hpp"
#include "simulator/scenario/training_options.hpp"
#include "workloads/workload.hpp"

namespace traincast {

/// An entry of a catalog with its parameters.
template <class Make>
struct Choice {
  const Entry<Make>* entry = nullptr;
  Parameters parameters;
};

/// How tensors travel together.
struct Bucketing {
  enum class Kind { bytes, tensor, model } kind = Kind::bytes;
  Bytes limit = 0;   ///< for Kind::bytes
  std::string text;  ///< as the scenario writes it
};

struct Scenario {
  std::string name;
  std::string file;  ///< that it was read from; paths in it are relative to its folder
  std::uint32_t learners = 1;
  std::uint64_t steps = 1;
  std::uint64_t seed = 1;
  std::optional<Choice<MakeModel>> workload;  ///< what is trained, or was for the trace; else none
  Choice<GradientSourceKind> gradients;
  std::optional<Accelerator> accelerator;  ///< where times come from one
  Choice<TimingSource> timings;
  Choice<MakeCompressor> compressor;
  LearnerMemory learner_memory;
  Bucketing buckets;
  bool overlap = true;
  std::array<std::string, std::size(kWords)> algorithms;  ///< by word: a name or "auto"
  Choice<MakeStack> stack;
  Choice<MakeTopology> platform;
  Choice<MakeSpeeds> speeds;
  Engine engine = Engine::automatic;
  std::optional<LoopTraining> training;  ///< where the loop is closed
  Json resolved;                         ///< every key, defaults filled in

  const std::string& algorithm(Word word) const { return algorithms[static_cast<std::size_t>(word)]; }
};

/// A point: where it stands on the axes, and its scenario.
struct Point {
  Json coordinates;  ///< {pointer: value, axis of variants: name}, {} without a sweep
  Scenario scenario;
  std::vector<std::string> method_axes{};  ///< axes of variants whose names tell methods apart
  bool names_training = false;             ///< whether these variants set the way of training, too
};

struct Plan {
  std::string name;
  std::string file;           ///< paths in it are relative to its folder
  Json resolved;              ///< the file's scenario with defaults, sweep included
  std::vector<Point> points;  ///< in file order, first axis outermost
};

/// Reads a scenario file and all points of its sweep. `sets` are "POINTER=VALUE" overrides, applied before
/// the sweep unfolds. Throws InputError for the first mistake, before any work.
Plan read_plan(const std::string& file, std::span<const std::string> sets);
/// The same from a document; `file` is named in messages.
Plan make_plan(Json document, const std::string& file, std::span<const std::string> sets);

/// The same point with another value at a pointer ("/compressor", "/platform/bandwidth").
Scenario with(const Scenario& scenario, const std::string& pointer, Json value);

/// The whole scenario language as JSON schema (draft 2020-12), made from the tables that the reader uses.
Json scenario_schema();

/// Top-level keys with type, default and meaning, in the order in which a scenario is echoed.
struct KeyInfo {
  std::string key, form, fallback, help;
};
std::vector<KeyInfo> scenario_keys();

}  // namespace traincast
