#include <algorithm>
#include <atomic>
#include <cassert>
#include <cmath>
#include <filesystem>
#include <future>
#include <optional>
#include <system_error>

#include "base/bf16.hpp"
#include "base/error.hpp"
#include "base/files.hpp"
#include "base/fp16.hpp"
#include "workloads/trace/file_pass.hpp"
#include "workloads/trace/input_file.hpp"
#include "workloads/trace/safetensors.hpp"
#include "workloads/trace/trace.hpp"
#include "workloads/trace/unfinished_log.hpp"

namespace traincast {

namespace {

// More than this in one file would leave processors idle that check a trace of few steps.
constexpr std::uint32_t kLearnersInFile = 128;

/// What the file of some learners looks like, at every step.
struct FileLayout {
  LearnerId first = 0, last = 0;
  std::string header;
  std::vector<std::uint64_t> begin;  // of each tensor in the file
  std::uint64_t size = 0;
};

FileLayout file_layout(const std::vector<TensorInfo>& layers, LearnerId first, LearnerId last,
                       const StoredType& type) {
  std::vector<SafetensorsTensor> tensors;
  std::uint64_t learners = last - first, end = 0;
  for (const TensorInfo& layer : layers) {
    SafetensorsTensor tensor{.name = layer.name,
                             .type = std::string(type.in_files),
                             .shape = {static_cast<std::int64_t>(learners)},
                             .begin = end};
    tensor.shape.insert(tensor.shape.end(), layer.shape.begin(), layer.shape.end());
    end += layer.numel() * learners * type.size;
    tensor.end = end;
    tensors.push_back(std::move(tensor));
  }
  FileLayout layout{.first = first, .last = last, .header = safetensors_header_bytes(tensors), .begin = {}};
  for (const SafetensorsTensor& tensor : tensors) layout.begin.push_back(layout.header.size() + tensor.begin);
  layout.size = layout.header.size() + end;
  return layout;
}

std::vector<FileLayout> file_layouts(const std::vector<TensorInfo>& layers, std::uint32_t learners,
                                     Stored values) {
  std::vector<FileLayout> all;
  for (LearnerId first = 0; first < learners; first += kLearnersInFile)
    all.push_back(
        file_layout(layers, first, std::min(learners, first + kLearnersInFile), stored_type(values)));
  return all;
}

std::string padded(std::uint64_t number) {
  std::string digits = std::to_string(number);
  if (digits.size() < 6) digits.insert(0, 6 - digits.size(), '0');
  return digits;
}

std::vector<std::string> hashes_of(const std::vector<std::string>& paths) {
  std::vector<InputFile> files(paths.begin(), paths.end());
  return pass_over_files(files);
}

/// Sums of squares: of what rounding changed, and of the values before it.
struct Rounding {
  double error = 0, values = 0;
};

/// Rounds what fits into `into`, and says how many values these were. Those that are not finite stay so.
std::size_t round_values(std::span<const float> values, Stored type, std::span<std::uint16_t> into,
                         Rounding& sums) {
  const std::size_t count = std::min(values.size(), into.size());
  for (std::size_t i = 0; i < count; ++i) {
    const float value = values[i];
    into[i] = type == Stored::bf16 ? bf16_bits(value) : fp16_bits(value);
    if (std::isnan(value)) continue;
    const double stored = type == Stored::bf16 ? bf16_value(into[i]) : fp16_value(into[i]);
    if (std::isinf(stored)) {
      if (std::isinf(value)) continue;
      throw InputError("a gradient has the value " + std::to_string(value) + ", which is beyond " +
                       std::string(stored_type(type).in_options) + "; keep values as fp32" +
                       (type == Stored::f16 ? " or bf16" : ""));
    }
    sums.error += (stored - value) * (stored - value);
    sums.values += double{value} * value;
  }
  return count;
}

}  // namespace

std::uint64_t trace_step_bytes(const std::vector<TensorInfo>& layers, std::uint32_t learners, Stored values) {
  std::uint64_t sum = 0;
  for (const FileLayout& layout : file_layouts(layers, learners, values)) sum += layout.size;
  return sum;
}

struct TraceWriter::State {
  std::string folder;
  Manifest manifest;
  std::vector<FileLayout> layouts;
  bool made_folder = false, finished = false, keeps = false;
  std::optional<UnfinishedLog> log;               // none where values are rounded
  std::vector<InputFile> taken_up;                // the files of the last step that was; one for each layout
  std::vector<std::unique_ptr<AtomicFile>> open;  // one for each layout, while a step is written
  std::atomic<std::uint64_t> written{0};
  std::vector<Rounding> rounding;  // by learner, so that the sum does not depend on who comes first
  // Files [hashed, hashing) are being hashed behind; those from `hashing` on wait until they are enough.
  std::size_t hashed = 0, hashing = 0;
  std::future<std::vector<std::string>> hashes;

  std::string path_of(const std::string& name) const { return folder + "/" + name; }

  void take_hashes() {
    if (!hashes.valid()) return;
    for (std::string& hash : hashes.get()) {
      TraceFile& file = manifest.files[hashed++];
      file.sha256 = std::move(hash);
      if (log) log->note(file);
    }
  }
  void hash_all() {
    while (hashing < manifest.files.size()) hash_behind();
    take_hashes();
  }
  void hash_behind() {
    take_hashes();
    std::vector<std::string> paths;
    while (hashing < manifest.files.size() && paths.size() < kFilesAtOnce)
      paths.push_back(path_of(manifest.files[hashing++].path));
    hashes = std::async(std::launch::async, hashes_of, std::move(paths));
  }

  TraceFile entry(std::uint64_t step, const FileLayout& layout) const {
    std::string name = "step-" + padded(step);
    if (layouts.size() > 1) name.append("-").append(padded(layout.first));
    return {.path = name.append(".safetensors"),
            .step = step,
            .first_learner = layout.first,
            .last_learner = layout.last,
            .sha256 = {}};
  }

  /// The log's entries of a step, in the order of the layouts, where all files are there and whole.
  std::vector<TraceFile> whole_files(std::uint64_t step) const {
    std::vector<TraceFile> files;
    const std::vector<TraceFile> noted = log->files(step);
    std::vector<InputFile> opened;
    for (const FileLayout& layout : layouts) {
      auto found = std::ranges::find(noted, entry(step, layout).path, &TraceFile::path);
      if (found == noted.end()) return {};
      files.push_back(*found);
      opened.emplace_back(path_of(found->path));
      if (opened.back().size() != layout.size) return {};
    }
    const std::vector<std::string> now = pass_over_files(opened);
    for (std::size_t i = 0; i < files.size(); ++i)
      if (files[i].sha256 != now[i]) return {};
    return files;
  }

  /// What stays when this ends too early: files that are finished, each with its hash in the log.
  void settle() {
    if (!open.empty()) manifest.files.resize(manifest.files.size() - open.size());
    open.clear();
    hash_all();
  }
};

TraceWriter::TraceWriter(std::string folder, Manifest manifest) : state_(std::make_unique<State>()) {
  State& s = *state_;
  s.folder = std::move(folder);
  s.manifest = std::move(manifest);
  s.manifest.steps.clear();
  s.manifest.files.clear();
  if (std::filesystem::exists(s.path_of("manifest.json")))
    throw InputError(s.folder + ": already holds a trace (manifest.json); name another folder or remove it");
  std::error_code error;
  s.made_folder = std::filesystem::create_directories(s.folder, error);
  if (error) throw InputError(s.folder + ": cannot be made: " + error.message());
  s.layouts = file_layouts(s.manifest.layers, s.manifest.learners, s.manifest.values);
  s.rounding.resize(s.manifest.learners);
  if (s.manifest.values == Stored::f32)
    s.log.emplace(s.path_of(kUnfinishedLog), s.manifest.to_json().dump(-1));
  else if (std::filesystem::exists(s.path_of(kUnfinishedLog)))
    throw InputError(s.folder +
                     ": holds unfinished steps of another training; name another folder or remove it");
}

TraceWriter::~TraceWriter() {
  State& s = *state_;
  if (s.hashes.valid()) s.hashes.wait();
  if (s.finished) return;
  if (s.keeps && s.log) try {
      s.settle();
      if (!s.manifest.files.empty() || !s.log->empty()) return;
    } catch (const std::exception&) {
      return;  // what the log has not, the next writer writes anew
    }
  s.open.clear();
  if (s.log) s.log->remove({});
  std::error_code ignored;
  for (const TraceFile& file : s.manifest.files) std::filesystem::remove(s.path_of(file.path), ignored);
  if (s.made_folder) std::filesystem::remove(s.folder, ignored);
}

bool TraceWriter::take_up(std::uint64_t step) {
  State& s = *state_;
  assert(s.open.empty() && (s.manifest.steps.empty() || step > s.manifest.steps.back()));
  s.taken_up.clear();
  if (!s.log || s.log->files(step).empty()) return false;
  std::vector<TraceFile> files;
  try {
    files = s.whole_files(step);
    for (const TraceFile& file : files) s.taken_up.emplace_back(s.path_of(file.path));
  } catch (const InputError&) {
    return false;  // a file is missing
  }
  if (files.empty()) return false;
  const bool all_hashed = s.hashed == s.manifest.files.size();
  s.manifest.files.insert(s.manifest.files.end(), files.begin(), files.end());
  if (all_hashed) s.hashed = s.hashing = s.manifest.files.size();
  s.manifest.steps.push_back(step);
  return true;
}

void TraceWriter::read_back(LearnerId learner, std::uint32_t tensor, std::span<float> into) const {
  const State& s = *state_;
  const FileLayout& layout = s.layouts[learner / kLearnersInFile];
  s.taken_up[learner / kLearnersInFile].read_at(
      layout.begin[tensor] + (learner - layout.first) * std::uint64_t{into.size_bytes()}, into.data(),
      into.size_bytes());
}

void TraceWriter::keep_unfinished() { state_->keeps = true; }

void TraceWriter::begin_step(std::uint64_t step) {
  State& s = *state_;
  assert(s.open.empty() && (s.manifest.steps.empty() || step > s.manifest.steps.back()));
  for (const FileLayout& layout : s.layouts) {
    TraceFile entry = s.entry(step, layout);
    s.open.push_back(std::make_unique<AtomicFile>(s.path_of(entry.path)));
    s.open.back()->write_at(0, layout.header.data(), layout.header.size());
    s.manifest.files.push_back(std::move(entry));
  }
  s.manifest.steps.push_back(step);
  s.written = 0;
}

void TraceWriter::write(LearnerId learner, std::uint32_t tensor, std::span<const float> gradient) {
  State& s = *state_;
  assert(!s.open.empty() && learner < s.manifest.learners && tensor < s.manifest.layers.size() &&
         gradient.size() == s.manifest.layers[tensor].numel());
  const FileLayout& layout = s.layouts[learner / kLearnersInFile];
  AtomicFile& file = *s.open[learner / kLearnersInFile];
  const std::size_t width = stored_type(s.manifest.values).size;
  std::uint64_t at = layout.begin[tensor] + (learner - layout.first) * std::uint64_t{gradient.size()} * width;
  if (s.manifest.values == Stored::f32) {
    file.write_at(at, gradient.data(), gradient.size_bytes());
  } else {
    std::vector<std::uint16_t> rounded(std::min<std::size_t>(gradient.size(), 1 << 16));
    while (!gradient.empty()) {
      std::size_t count = round_values(gradient, s.manifest.values, rounded, s.rounding[learner]);
      file.write_at(at, rounded.data(), count * width);
      at += count * width;
      gradient = gradient.subspan(count);
    }
  }
  ++s.written;
}

void TraceWriter::end_step() {
  State& s = *state_;
  assert(s.written == std::uint64_t{s.manifest.learners} * s.manifest.layers.size());
  // Not flushed: whoever opens the trace checks the hashes, so content lost with the machine is noticed.
  for (auto& file : s.open) file->commit(AtomicFile::Flush::no);
  s.open.clear();
  while (s.manifest.files.size() - s.hashing >= kFilesAtOnce) s.hash_behind();
}

const Manifest& TraceWriter::finish(const ComputeTimeline& timeline) {
  State& s = *state_;
  assert(s.open.empty() && timeline.ready_s.size() == s.manifest.layers.size());
  s.hash_all();
  s.manifest.timeline = timeline;
  Rounding sum;
  for (const Rounding& learner : s.rounding) sum.error += learner.error, sum.values += learner.values;
  if (sum.values > 0) s.manifest.rounding_error = std::sqrt(sum.error / sum.values);
  write_text_file(s.path_of("manifest.json"), s.manifest.to_json().dump() + "\n");
  s.finished = true;
  if (s.log) s.log->remove(s.manifest.files);
  return s.manifest;
}

}  // namespace traincast
