#include <algorithm>
#include <array>
#include <atomic>
#include <cassert>
#include <cstring>
#include <exception>
#include <filesystem>
#include <limits>
#include <numeric>
#include <optional>
#include <thread>

#include "base/bf16.hpp"
#include "base/error.hpp"
#include "base/fp16.hpp"
#include "workloads/trace/file_pass.hpp"
#include "workloads/trace/input_file.hpp"
#include "workloads/trace/safetensors.hpp"
#include "workloads/trace/trace.hpp"

namespace traincast {

namespace {

template <class Bits>
std::size_t first_not_finite(const char* bytes, std::size_t size, Bits exponent) {
  const std::size_t count = size / sizeof(Bits);
  auto at = [&](std::size_t i) {
    Bits bits;
    std::memcpy(&bits, bytes + i * sizeof bits, sizeof bits);
    return (bits & exponent) == exponent;
  };
  bool any = false;
  for (std::size_t i = 0; i < count; ++i) any |= at(i);
  if (!any) return count;
  std::size_t i = 0;
  while (!at(i)) ++i;
  return i;
}

float widen(const char* bytes, Stored type) {
  std::uint16_t half = 0;
  if (type == Stored::f32) {
    float value;
    std::memcpy(&value, bytes, sizeof value);
    return value;
  }
  std::memcpy(&half, bytes, sizeof half);
  return type == Stored::bf16 ? bf16_value(half) : fp16_value(half);
}

// Few enough for the usual limit of 1,024 open files; the others are opened for each reading.
constexpr std::size_t kMostOpen = 400;

class StepFile {
 public:
  StepFile(const std::string& folder, const TraceFile& entry, const Manifest& manifest, bool keep_open)
      : entry_(entry), layers_(manifest.layers), type_(manifest.values) {
    InputFile file(folder + "/" + entry.path);
    path_ = file.path();
    SafetensorsHeader header = parse_safetensors_header(read_safetensors_json(file), file.size(), path_);
    for (const TensorInfo& layer : layers_) places_.push_back(place_of(layer, header));
    if (header.tensors.size() != layers_.size())
      for (const SafetensorsTensor& tensor : header.tensors)
        if (std::none_of(layers_.begin(), layers_.end(),
                         [&](auto& layer) { return layer.name == tensor.name; }))
          throw InputError(path_ + ": tensor '" + tensor.name + "' is no layer of manifest.json");
    order_.resize(layers_.size());
    std::iota(order_.begin(), order_.end(), 0u);
    std::sort(order_.begin(), order_.end(), [&](auto a, auto b) { return places_[a] < places_[b]; });
    if (keep_open) open_.emplace(std::move(file));
  }

  const TraceFile& entry() const { return entry_; }

  InputFile reopen() const { return InputFile(path_); }

  /// Finds the first value that is not finite in a piece of the file; pieces come in order.
  void look(std::uint64_t at, std::span<const char> piece) {
    if (!not_finite_.empty()) return;
    for (std::uint32_t id : order_) {
      const std::size_t width = stored_type(type_).size;
      std::uint64_t end = places_[id] + layers_[id].numel() * learners() * width;
      std::uint64_t from = std::max(at, places_[id]), to = std::min(at + piece.size(), end);
      if (from >= to) continue;
      const char* bytes = piece.data() + (from - at);
      std::size_t size = to - from;
      std::size_t bad = type_ == Stored::f32 ? first_not_finite<std::uint32_t>(bytes, size, 0x7f800000)
                                             : first_not_finite<std::uint16_t>(
                                                   bytes, size, type_ == Stored::bf16 ? 0x7f80 : 0x7c00);
      if (bad == size / width) continue;
      not_finite_ = describe(id, (from - places_[id]) / width + bad, widen(bytes + bad * width, type_));
      return;
    }
  }

  void verify(const std::string& hash) const {
    if (hash != entry_.sha256)
      throw InputError(path_ + ": its sha256 is " + hash + ", but manifest.json says " + entry_.sha256 +
                       ": the file is damaged or was changed");
    if (!not_finite_.empty()) throw InputError(not_finite_);
  }

  void read(LearnerId learner, std::uint32_t tensor, std::uint64_t first, std::span<float> into) const {
    std::optional<InputFile> opened;
    if (!open_) opened.emplace(path_);
    const InputFile& file = open_ ? *open_ : *opened;
    std::uint64_t at =
        places_[tensor] +
        ((learner - entry_.first_learner) * layers_[tensor].numel() + first) * stored_type(type_).size;
    if (type_ == Stored::f32) return file.read_at(at, into.data(), into.size_bytes());
    std::array<std::uint16_t, 4096> half;
    for (std::size_t done = 0; done < into.size();) {
      std::size_t count = std::min(half.size(), into.size() - done);
      file.read_at(at + 2 * done, half.data(), 2 * count);
      for (std::size_t i = 0; i < count; ++i)
        into[done + i] = type_ == Stored::bf16 ? bf16_value(half[i]) : fp16_value(half[i]);
      done += count;
    }
  }

 private:
  std::uint64_t learners() const { return entry_.last_learner - entry_.first_learner; }

  std::uint64_t place_of(const TensorInfo& layer, const SafetensorsHeader& header) const {
    const SafetensorsTensor* tensor = header.find(layer.name);
    if (!tensor) throw InputError(path_ + ": has no tensor '" + layer.name + "', a layer of manifest.json");
    auto refuse = [&](const std::string& why) {
      throw InputError(path_ + ": tensor '" + layer.name + "': " + why);
    };
    std::vector<std::int64_t> shape{static_cast<std::int64_t>(learners())};
    shape.insert(shape.end(), layer.shape.begin(), layer.shape.end());
    if (tensor->shape != shape)
      refuse("its shape is " + Json::list(tensor->shape).dump(-1) + ", but manifest.json gives " +
             Json::list(shape).dump(-1) + " (learners first)");
    if (tensor->type != stored_type(type_).in_files)
      refuse("its type is " + tensor->type + ", but the trace's is " +
             std::string(stored_type(type_).in_files));
    return header.data_begin + tensor->begin;
  }

  std::string describe(std::uint32_t id, std::uint64_t element, float value) const {
    std::uint64_t numel = layers_[id].numel();
    return path_ + ": tensor '" + layers_[id].name + "', learner " +
           std::to_string(entry_.first_learner + element / numel) + ", index " +
           std::to_string(element % numel) + ": must be finite, got " +
           (value != value ? "nan"
            : value > 0    ? "inf"
                           : "-inf");
  }

  TraceFile entry_;
  const std::vector<TensorInfo>& layers_;
  std::string path_;
  Stored type_;
  std::vector<std::uint64_t> places_;  // in the file, by tensor id
  std::vector<std::uint32_t> order_;   // tensor ids by place
  std::string not_finite_;             // the message, once found
  std::optional<InputFile> open_;
};

// Hashes and values of all files; of several errors the first in the order of the files is thrown.
void check_contents(std::span<StepFile* const> files, unsigned threads) {
  std::size_t together = std::clamp<std::size_t>((files.size() + threads - 1) / threads, 1, kFilesAtOnce);
  std::size_t groups = (files.size() + together - 1) / together;
  std::vector<std::exception_ptr> errors(groups);
  std::atomic<std::size_t> next{0};
  auto work = [&] {
    for (std::size_t group; (group = next++) < groups;) try {
        auto mine = files.subspan(group * together, std::min(together, files.size() - group * together));
        std::vector<InputFile> opened;
        for (const StepFile* file : mine) opened.push_back(file->reopen());
        auto hashes = pass_over_files(
            opened, [&](std::size_t file, auto at, auto piece) { mine[file]->look(at, piece); });
        for (std::size_t i = 0; i < mine.size(); ++i) mine[i]->verify(hashes[i]);
      } catch (...) {
        errors[group] = std::current_exception();
      }
  };
  {
    std::vector<std::jthread> helpers;
    for (std::size_t i = 1; i < std::min<std::size_t>(threads, groups); ++i) helpers.emplace_back(work);
    work();
  }
  for (const std::exception_ptr& error : errors)
    if (error) std::rethrow_exception(error);
}

// Where the manifest states no type, that of the first layer is the trace's; how far it rounds is not known.
void take_type_from_file(const std::string& folder, Manifest& manifest) {
  InputFile file(folder + "/" + manifest.files.front().path);
  SafetensorsHeader header = parse_safetensors_header(read_safetensors_json(file), file.size(), file.path());
  const SafetensorsTensor* first = header.find(manifest.layers.front().name);
  if (!first) return;  // refused with all other files
  auto known = std::ranges::find(kStoredTypes, first->type, &StoredType::in_files);
  if (known == kStoredTypes.end())
    throw InputError(file.path() + ": tensor '" + first->name + "': must be F32, BF16 or F16, got " +
                     first->type);
  manifest.values = known->type;
  if (known->type != Stored::f32) manifest.rounding_error = std::numeric_limits<double>::quiet_NaN();
}

}  // namespace

struct TraceReader::State {
  Manifest manifest;
  std::vector<std::vector<StepFile>> steps;  // each sorted by first learner
};

TraceReader::TraceReader(const std::string& folder, unsigned threads) : state_(std::make_unique<State>()) {
  State& s = *state_;
  std::string path = folder + "/manifest.json";
  if (std::string log = folder + "/" + kUnfinishedLog;
      !std::filesystem::exists(path) && std::filesystem::exists(log))
    throw InputError(folder + ": a capture that is not finished (" + kUnfinishedLog +
                     " is there, manifest.json is not); the command that began it goes on with it");
  const Json json = Json::read_file(path);
  s.manifest = Manifest::from_json(JsonReader(json, path));
  if (!json.find("values")) take_type_from_file(folder, s.manifest);
  auto files = s.manifest.files;
  std::sort(files.begin(), files.end(), [](const TraceFile& a, const TraceFile& b) {
    return std::pair(a.step, a.first_learner) < std::pair(b.step, b.first_learner);
  });
  std::size_t count = 0;
  for (const TraceFile& file : files) {
    if (s.steps.empty() || s.steps.back().front().entry().step != file.step) s.steps.emplace_back();
    s.steps.back().emplace_back(folder, file, s.manifest, count++ < kMostOpen);
  }

  std::vector<StepFile*> all;
  for (auto& parts : s.steps)
    for (StepFile& part : parts) all.push_back(&part);
  check_contents(all, std::max(1u, threads));
}

TraceReader::~TraceReader() = default;

const Manifest& TraceReader::manifest() const { return state_->manifest; }

void TraceReader::read(std::size_t step, LearnerId learner, std::uint32_t tensor,
                       std::span<float> into) const {
  assert(into.size() == state_->manifest.layers[tensor].numel());
  read(step, learner, tensor, 0, into);
}

void TraceReader::read(std::size_t step, LearnerId learner, std::uint32_t tensor, std::uint64_t first,
                       std::span<float> into) const {
  const State& s = *state_;
  assert(step < s.steps.size() && learner < s.manifest.learners && tensor < s.manifest.layers.size() &&
         first + into.size() <= s.manifest.layers[tensor].numel());
  for (const StepFile& part : s.steps[step])
    if (learner < part.entry().last_learner) return part.read(learner, tensor, first, into);
}

}  // namespace traincast
