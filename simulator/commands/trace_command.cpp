// trace: what is in recorded gradients, and whether they are whole.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <iostream>

#include "analysis/text_table.hpp"
#include "base/error.hpp"
#include "base/names.hpp"
#include "base/units.hpp"
#include "simulator/commands/command.hpp"
#include "simulator/commands/command_options.hpp"
#include "workloads/timeline/recorded_timeline.hpp"
#include "workloads/trace/trace_summary.hpp"

namespace traincast {

namespace {

std::uint64_t bytes_of(const Manifest& m, const std::string& folder) {
  std::uint64_t sum = 0;
  for (const TraceFile& file : m.files) sum += std::filesystem::file_size(folder + "/" + file.path);
  return sum;
}

std::string digits(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.4g", value);
  return text;
}

std::string digits(const std::optional<double>& value) { return value ? digits(*value) : "-"; }

/// {"name": "sgd", "momentum": 0.9} as "sgd, momentum 0.9".
std::string words(const Json& object) {
  std::vector<std::string> all;
  for (const auto& [key, value] : object.members()) {
    std::string text = value.is_string() ? value.text() : value.dump(-1);
    all.push_back(key == "name" ? text : key + " " + text);
  }
  return all.empty() ? "not stated" : join(all);
}

/// "0 to 9", "0 to 90, 10 of them", "7"
std::string steps_of(const Manifest& m) {
  std::string text = std::to_string(m.steps.front());
  if (m.steps.size() == 1) return "step " + text;
  text += " to " + std::to_string(m.steps.back());
  if (m.steps.back() - m.steps.front() + 1 != m.steps.size())
    text += " (" + std::to_string(m.steps.size()) + " of them)";
  return "steps " + text;
}

std::vector<std::string> row(std::string name, std::string shape, std::string ready,
                             const GradientSummary& s) {
  return {std::move(name),
          std::move(shape),
          std::move(ready),
          digits(s.norm),
          digits(s.norm_of_mean),
          digits(s.density),
          digits(s.effective_density),
          digits(s.similarity)};
}

std::string to_text(const Manifest& m, const TraceSummary& summary, std::uint64_t bytes) {
  std::string text = m.model + ", " + std::to_string(m.parameters()) + " parameters in " +
                     std::to_string(m.layers.size()) + " layers; " + std::to_string(m.learners) +
                     (m.learners == 1 ? " learner, " : " learners, ") + steps_of(m) + "; " +
                     std::to_string(m.files.size()) + (m.files.size() == 1 ? " file, " : " files, ") +
                     format_bytes(static_cast<double>(bytes)) + "\n";
  if (!m.workload.is_null()) text += "workload:  " + words(m.workload) + "\n";
  text += "data:      " + words(m.data) + "; seed " + std::to_string(m.seed) + "\n";
  if (m.values != Stored::f32)
    text += "values:    " + std::string(stored_type(m.values).in_options) + ", relative error of rounding " +
            (std::isnan(m.rounding_error) ? "unknown" : digits(m.rounding_error)) + "\n";
  text += "optimizer: " + words(m.optimizer) + "\n";
  text += "device:    " + m.device + "; " + words(m.versions) + "\n";
  text += "times:     forward " + format_seconds(m.timeline.forward_s) + ", backward " +
          format_seconds(m.timeline.backward_s()) + ", optimizer " + format_seconds(m.timeline.optimizer_s) +
          "\n\n";
  std::vector<std::vector<std::string>> rows;
  for (std::size_t i = 0; i < m.layers.size(); ++i)
    rows.push_back(row(m.layers[i].name, Json::list(m.layers[i].shape).dump(-1),
                       format_seconds(m.timeline.ready_s[i]), summary.layers[i]));
  rows.push_back(row("all", std::to_string(m.parameters()), "", summary.model));
  text += render_table({{"layer", true},
                        {"shape", true},
                        {"ready"},
                        {"norm"},
                        {"of mean"},
                        {"density"},
                        {"effective"},
                        {"similarity"}},
                       rows);
  text +=
      "\nnorm: of a learner's gradient, and of the learners' mean; density: entries that are not 0, and the\n"
      "effective one, |g|_1^2 / (d |g|_2^2); similarity: mean cosine between two learners. Means over steps\n"
      "and learners; ready: after the start of backward.\n";
  return text;
}

Json to_json(const GradientSummary& s) {
  auto number = [](const std::optional<double>& value) { return value ? Json(*value) : Json(); };
  Json json;
  json["norm"] = s.norm;
  json["norm_of_mean"] = s.norm_of_mean;
  json["density"] = s.density;
  json["effective_density"] = number(s.effective_density);
  json["similarity"] = number(s.similarity);
  return json;
}

Json to_json(const Manifest& m, const TraceSummary& summary, std::uint64_t bytes) {
  Json json = m.to_json();
  json["files"] = m.files.size();
  json["bytes"] = bytes;
  json["parameters"] = m.parameters();
  json["gradient"] = to_json(summary.model);
  for (std::size_t i = 0; i < m.layers.size(); ++i) {
    Json& layer = json["layers"].items()[i];
    layer["ready_s"] = m.timeline.ready_s[i];
    const Json numbers = to_json(summary.layers[i]);
    for (const auto& [key, value] : numbers.members()) layer[key] = value;
  }
  auto& members = json.members();
  std::erase_if(members, [](const Json::Member& member) { return member.first == "ready_s"; });
  return json;
}

RecordedTimeline recorded_in(const std::string& folder) {
  const std::string file = folder + "/manifest.json";
  const Json json = Json::read_file(file);
  const Manifest m = Manifest::from_json(JsonReader(json, file));
  RecordedTimeline timeline{m.model,
                            m.device,
                            "medians of a trace's passes; data: " + words(m.data) + "; " + words(m.versions),
                            m.timeline.forward_s,
                            m.timeline.optimizer_s,
                            {}};
  for (std::size_t i = 0; i < m.layers.size(); ++i)
    timeline.tensors.push_back({m.layers[i].name, m.layers[i].numel(), m.timeline.ready_s[i]});
  std::ranges::stable_sort(timeline.tensors, {}, &RecordedTimeline::Tensor::ready_s);
  return timeline;
}

}  // namespace

int trace_command(const std::vector<std::string>& arguments) {
  const std::vector<std::string> actions{"info", "verify", "timeline"}, formats{"text", "json"};
  std::string action, folder, format = "text", out;
  unsigned threads = 1;
  CommandOptions takes(
      "trace", "traincast trace info PATH | traincast trace verify PATH | traincast trace timeline PATH");
  takes.value("format", format, "FORMAT", "text, or json (of info)").threads(threads);
  takes.value("out", out, "FILE", "where timeline writes (the terminal)");
  takes.argument("action", action).argument("path", folder);
  if (!takes.read(arguments,
                  "\ninfo tells what recorded gradients are like; verify checks files, hashes, shapes,\n"
                  "coverage and values, and ends with exit code 1 where the trace is not whole; timeline\n"
                  "gives the times of its passes, for \"timings\": {\"name\": \"recorded\"}.\n"))
    return kSuccess;
  if (std::ranges::find(actions, action) == actions.end())
    throw InputError("trace: " + (action.empty() ? "no action" : "unknown action '" + action + "'") +
                     known_names(action, actions));
  if (folder.empty()) throw InputError("trace " + action + ": names no trace; see traincast trace --help");
  if (std::ranges::find(formats, format) == formats.end())
    throw InputError("trace: unknown format '" + format + "'" + known_names(format, formats));
  if (takes.has("format") && action != "info") throw InputError("trace: --format goes with info");
  if (takes.has("threads") && action == "timeline")
    throw InputError("trace: --threads goes with info and verify");
  if (takes.has("out") && action != "timeline") throw InputError("trace: --out goes with timeline");
  if (!std::filesystem::exists(folder)) throw InputError(folder + ": there is no such folder");

  if (action == "timeline") {
    print_or_write(out, recorded_in(folder).to_json().dump() + "\n");
    return kSuccess;
  }
  if (action == "verify") {
    try {
      const TraceReader trace(folder, threads);
      const Manifest& m = trace.manifest();
      std::cout << folder << ": whole: " << m.learners << (m.learners == 1 ? " learner, " : " learners, ")
                << steps_of(m) << ", " << m.files.size() << (m.files.size() == 1 ? " file, " : " files, ")
                << format_bytes(static_cast<double>(bytes_of(m, folder))) << "\n";
      return kSuccess;
    } catch (const InputError& error) {
      std::cerr << "traincast: " << error.what() << "\n";
      return kCheckFailed;
    }
  }
  const TraceReader trace(folder, threads);
  const TraceSummary summary = summarise(trace, threads);
  const std::uint64_t bytes = bytes_of(trace.manifest(), folder);
  if (format == "json")
    std::cout << to_json(trace.manifest(), summary, bytes).dump() << "\n";
  else
    std::cout << to_text(trace.manifest(), summary, bytes);
  return kSuccess;
}

}  // namespace traincast
