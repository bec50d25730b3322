// manifest.json: what a trace holds, and the strict reading of it.
#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <set>

#include "workloads/trace/trace.hpp"

namespace traincast {

namespace {

constexpr std::int64_t kFormat = 1;

void refuse_if(bool wrong, const JsonReader& at, const std::string& why) {
  if (wrong) at.refuse(why + ", got " + at.shown());
}

std::uint64_t whole(const JsonReader& at, std::int64_t least, std::int64_t most = INT64_MAX) {
  std::int64_t n = at.integer();
  refuse_if(n < least || n > most, at,
            most == INT64_MAX ? "must be at least " + std::to_string(least)
                              : "must lie in [" + std::to_string(least) + ", " + std::to_string(most) + "]");
  return static_cast<std::uint64_t>(n);
}

double seconds(const JsonReader& at) {
  double s = at.number();
  refuse_if(!std::isfinite(s) || s < 0, at, "must be a time in seconds, at least 0");
  return s;
}

Json object(const JsonReader& at) {
  refuse_if(!at.value().is_object(), at, "must be an object");
  return at.value();
}

TensorInfo read_layer(const JsonReader& at, std::uint32_t id) {
  at.only(std::vector<std::string>{"name", "shape", "kind"});
  TensorInfo layer{.id = id, .name = at.at("name").text(), .shape = {}, .kind = at.at("kind").text()};
  refuse_if(layer.name.empty() || layer.name == "__metadata__", at.at("name"),
            "must be a name other than '__metadata__'");
  // Elements are numbered in 32 bits (Index).
  std::uint64_t numel = 1;
  for (const JsonReader& extent : at.at("shape").items()) {
    layer.shape.push_back(static_cast<std::int64_t>(whole(extent, 1, UINT32_MAX)));
    numel *= static_cast<std::uint64_t>(layer.shape.back());
    refuse_if(numel > UINT32_MAX, at.at("shape"), "must have fewer than 2^32 elements");
  }
  return layer;
}

// {"type": "BF16", "relative_error": 0.0017}, or without the error, where nobody measured it
void read_values(const JsonReader& at, Manifest& manifest) {
  at.only(std::vector<std::string>{"type", "relative_error"});
  JsonReader type = at.at("type");
  auto known = std::ranges::find(kStoredTypes, type.text(), &StoredType::in_files);
  refuse_if(known == kStoredTypes.end(), type, "must be F32, BF16 or F16");
  manifest.values = known->type;
  const std::optional<JsonReader> error = at.find("relative_error");
  if (!error) {
    if (manifest.values != Stored::f32) manifest.rounding_error = std::nan("");
    return;
  }
  manifest.rounding_error = error->number();
  refuse_if(!std::isfinite(manifest.rounding_error) || manifest.rounding_error < 0, *error,
            "must be at least 0");
  refuse_if(manifest.values == Stored::f32 && manifest.rounding_error > 0, *error, "must be 0 for F32");
}

TraceFile read_file_entry(const JsonReader& at, const Manifest& manifest) {
  at.only(std::vector<std::string>{"path", "step", "learners", "sha256"});
  TraceFile file;
  JsonReader path = at.at("path");
  file.path = path.text();
  refuse_if(file.path.empty() || file.path.find('/') != file.path.npos ||
                file.path.find('\0') != file.path.npos || file.path == "." || file.path == "..",
            path, "must be the name of a file in the trace's folder");
  JsonReader step = at.at("step");
  file.step = whole(step, 0);
  refuse_if(!std::binary_search(manifest.steps.begin(), manifest.steps.end(), file.step), step,
            "must be one of the steps");
  JsonReader learners = at.at("learners");
  auto bounds = learners.items();
  bool two = bounds.size() == 2;
  if (two) {
    file.first_learner = static_cast<LearnerId>(whole(bounds[0], 0, manifest.learners));
    file.last_learner = static_cast<LearnerId>(whole(bounds[1], 0, manifest.learners));
  }
  refuse_if(!two || file.first_learner >= file.last_learner, learners,
            "must be [first, end), with first below end");
  JsonReader hash = at.at("sha256");
  file.sha256 = hash.text();
  refuse_if(
      file.sha256.size() != 64 || file.sha256.find_first_not_of("0123456789abcdef") != std::string::npos,
      hash, "must be 64 lower-case hexadecimal digits");
  return file;
}

void check_cover(const Manifest& manifest, const JsonReader& files) {
  std::set<std::string> paths;
  std::map<std::uint64_t, std::vector<const TraceFile*>> by_step;
  for (const TraceFile& file : manifest.files) {
    if (!paths.insert(file.path).second) files.refuse("'" + file.path + "' stands twice");
    by_step[file.step].push_back(&file);
  }
  for (std::uint64_t step : manifest.steps) {
    auto& parts = by_step[step];
    std::sort(parts.begin(), parts.end(),
              [](const TraceFile* a, const TraceFile* b) { return a->first_learner < b->first_learner; });
    LearnerId next = 0;
    auto lacking = [&](LearnerId end) {
      files.refuse("no file holds step " + std::to_string(step) + " of learners [" + std::to_string(next) +
                   ", " + std::to_string(end) + ")");
    };
    for (const TraceFile* part : parts) {
      if (part->first_learner > next) lacking(part->first_learner);
      if (part->first_learner < next)
        files.refuse("'" + part->path + "' holds step " + std::to_string(step) + " of learner " +
                     std::to_string(part->first_learner) + ", which another file holds too");
      next = part->last_learner;
    }
    if (next != manifest.learners) lacking(manifest.learners);
  }
}

}  // namespace

std::uint64_t Manifest::parameters() const {
  std::uint64_t sum = 0;
  for (const TensorInfo& layer : layers) sum += layer.numel();
  return sum;
}

Json Manifest::to_json() const {
  Json all;
  all["format"] = kFormat;
  all["model"] = model;
  if (!workload.is_null()) all["workload"] = workload;
  Json::Array layer_list, file_list;
  for (const TensorInfo& layer : layers) {
    Json entry;
    entry["name"] = layer.name;
    entry["shape"] = Json::list(layer.shape);
    entry["kind"] = layer.kind;
    layer_list.push_back(std::move(entry));
  }
  all["layers"] = std::move(layer_list);
  all["learners"] = learners;
  all["steps"] = Json::list(steps);
  all["forward_s"] = timeline.forward_s;
  all["ready_s"] = Json::list(timeline.ready_s);
  all["optimizer_s"] = timeline.optimizer_s;
  all["optimizer"] = optimizer;
  all["data"] = data;
  all["seed"] = seed;
  all["versions"] = versions;
  all["device"] = device;
  if (values != Stored::f32) {
    all["values"]["type"] = stored_type(values).in_files;
    if (!std::isnan(rounding_error)) all["values"]["relative_error"] = rounding_error;
  }
  for (const TraceFile& file : files) {
    Json entry;
    entry["path"] = file.path;
    entry["step"] = file.step;
    entry["learners"] = Json::list(std::vector<LearnerId>{file.first_learner, file.last_learner});
    entry["sha256"] = file.sha256;
    file_list.push_back(std::move(entry));
  }
  all["files"] = std::move(file_list);
  return all;
}

Manifest Manifest::from_json(const JsonReader& reader) {
  reader.only(std::vector<std::string>{"format", "model", "workload", "layers", "learners", "steps",
                                       "forward_s", "ready_s", "optimizer_s", "optimizer", "data", "seed",
                                       "versions", "device", "values", "files"});
  JsonReader format = reader.at("format");
  refuse_if(format.integer() != kFormat, format,
            "must be " + std::to_string(kFormat) + ", the only format that this version reads");
  Manifest m;
  m.model = reader.at("model").text();
  if (auto workload = reader.find("workload")) m.workload = object(*workload);

  std::set<std::string> names;
  for (const JsonReader& layer : reader.at("layers").items()) {
    m.layers.push_back(read_layer(layer, static_cast<std::uint32_t>(m.layers.size())));
    if (!names.insert(m.layers.back().name).second)
      layer.at("name").refuse("'" + m.layers.back().name + "' stands twice");
  }
  refuse_if(m.layers.empty(), reader.at("layers"), "must not be empty");
  m.learners = static_cast<std::uint32_t>(whole(reader.at("learners"), 1, UINT32_MAX));

  for (const JsonReader& step : reader.at("steps").items()) {
    std::uint64_t number = whole(step, 0);
    refuse_if(!m.steps.empty() && number <= m.steps.back(), step, "must be above the step before it");
    m.steps.push_back(number);
  }
  refuse_if(m.steps.empty(), reader.at("steps"), "must not be empty");

  m.timeline.forward_s = seconds(reader.at("forward_s"));
  for (const JsonReader& ready : reader.at("ready_s").items()) m.timeline.ready_s.push_back(seconds(ready));
  if (m.timeline.ready_s.size() != m.layers.size())
    reader.at("ready_s").refuse("must have one time for each of the " + std::to_string(m.layers.size()) +
                                " layers, got " + std::to_string(m.timeline.ready_s.size()));
  m.timeline.optimizer_s = seconds(reader.at("optimizer_s"));
  m.optimizer = object(reader.at("optimizer"));
  m.data = object(reader.at("data"));
  m.seed = whole(reader.at("seed"), 0);
  m.versions = object(reader.at("versions"));
  m.device = reader.at("device").text();
  if (auto values = reader.find("values")) read_values(*values, m);
  for (const JsonReader& file : reader.at("files").items()) m.files.push_back(read_file_entry(file, m));
  check_cover(m, reader.at("files"));
  return m;
}

}  // namespace traincast
