// gradients: what methods make of the gradients of models, as a table.
#include <algorithm>
#include <charconv>
#include <filesystem>
#include <iostream>

#include "analysis/gradient_table.hpp"
#include "base/error.hpp"
#include "base/files.hpp"
#include "base/names.hpp"
#include "base/sha256.hpp"
#include "simulator/commands/command.hpp"
#include "simulator/commands/command_options.hpp"
#include "simulator/commands/report_input.hpp"
#include "simulator/gradient_study.hpp"
#include "simulator/progress.hpp"
#include "workloads/workload.hpp"

namespace traincast {

namespace {

struct GradientsOptions {
  std::vector<std::string> workloads, compressors;
  std::string learners, budget, exchanges, out, format = "text";
  int steps = 2, seed = 1;
  unsigned threads = 1;
  bool quiet = false;
};

bool read_options(const std::vector<std::string>& arguments, GradientsOptions& asked) {
  CommandOptions takes("gradients", "traincast gradients [WORKLOAD]…");
  takes.value("compressor", asked.compressors, "METHOD",
              "a name, or a JSON object as in a scenario; as often as one likes (top-k 0.1 %, ScaleCom 100, "
              "PowerSGD 2)");
  takes.value(
      "learners", asked.learners, "LIST",
      "as in 8,64; without it 8, 64 and 1,024 for models below a million parameters, 8 and 64 below 15 "
      "million, none for larger");
  takes.value("steps", asked.steps, "S", "steps that are trained and compressed (2)");
  takes.value("seed", asked.seed, "K", "of parameters, data and draws (1)");
  takes.value(
      "budget", asked.budget, "TFLOP",
      "of all passes of a model together, and 40 times what one may take: a batch that the workload does "
      "not state is halved for it (5)");
  takes.value(
      "exchanges", asked.exchanges, "DIR",
      "recorded exchanges (traincast run --record), on a GPU say, of models that are not trained here");
  takes.value("out", asked.out, "DIR", "keeps each model's row there; what is whole there is not made again");
  takes.value("format", asked.format, "FORM", "text (the default), markdown or json");
  takes.threads(asked.threads);
  takes.flag("quiet", asked.quiet, "errors only");
  takes.argument("workload", asked.workloads);
  return takes.read(
      arguments,
      "\nWORKLOAD: a name (traincast list workloads) or a JSON object as in a scenario; without "
      "one, all.\nWhat does not fit into this machine stands as dashes, with the reason.\n");
}

std::vector<std::uint32_t> learners_of(const std::string& text) {
  std::vector<std::uint32_t> learners;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find(',', begin), text.size());
    std::uint32_t count = 0;
    const auto [rest, error] = std::from_chars(text.data() + begin, text.data() + end, count);
    if (error != std::errc{} || rest != text.data() + end || count < 1 || count > 65536 ||
        (!learners.empty() && count <= learners.back()))
      throw InputError("gradients: --learners: must be numbers in [1, 65536] that ascend, as in 8,64; got '" +
                       text + "'");
    learners.push_back(count);
    begin = end + 1;
  }
  return learners;
}

double flops_of(const std::string& text) {
  double tera = 0;
  const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), tera);
  if (error != std::errc{} || rest != text.data() + text.size() || !(tera > 0) || tera > 1e9)
    throw InputError("gradients: --budget: must be a number in (0, 1e9], got '" + text + "'");
  return tera * 1e12;
}

// A name, or an object as JSON.
Json choice_of(const std::string& option, const std::string& text) {
  return text.starts_with("{") ? Json::parse(text, "gradients: " + option) : Json(text);
}

GradientStudy study_of(const GradientsOptions& asked) {
  GradientStudy study;
  for (const std::string& text : asked.compressors)
    study.compressors.push_back(choice_of("--compressor", text));
  if (study.compressors.empty())
    for (const char* usual : {R"({"name": "topk", "density": 0.001})", R"({"name": "scalecom", "rate": 100})",
                              R"({"name": "powersgd", "rank": 2})"})
      study.compressors.push_back(Json::parse(usual, "--compressor"));
  if (!asked.learners.empty()) study.learners = learners_of(asked.learners);
  if (!asked.budget.empty()) study.most_flops = flops_of(asked.budget);
  if (asked.steps < 1 || asked.steps > 1000)
    throw InputError("gradients: --steps must lie in [1, 1000], got " + std::to_string(asked.steps));
  if (asked.seed < 0)
    throw InputError("gradients: --seed must not be negative, got " + std::to_string(asked.seed));
  if (!asked.exchanges.empty() && !std::filesystem::is_directory(asked.exchanges))
    throw InputError("gradients: --exchanges: there is no folder " + asked.exchanges);
  study.exchanges = asked.exchanges;
  study.steps = static_cast<std::uint64_t>(asked.steps);
  study.seed = static_cast<std::uint64_t>(asked.seed);
  study.threads = asked.threads;
  return study;
}

/// Finished rows in a folder; each is known by all that it depends on.
class Rows {
 public:
  explicit Rows(const std::string& folder) {
    if (!folder.empty()) folder_ = make_folder("--out", folder);
  }

  std::optional<GradientsOfModel> find(const StudiedModel& model, const GradientStudy& study) const {
    if (folder_.empty() || !std::filesystem::exists(file_of(model, study))) return std::nullopt;
    const Json json = Json::read_file(file_of(model, study));
    return GradientsOfModel::from_json(JsonReader(json, file_of(model, study)).at("row"));
  }

  // What is lacking may be there the next time.
  void keep(const StudiedModel& model, const GradientStudy& study, const GradientsOfModel& row) const {
    if (folder_.empty() || !row.lacking.empty()) return;
    Json json;
    json["key"] = model.key(study);
    json["row"] = row.to_json();
    write_text_file(file_of(model, study), json.dump() + "\n");
  }

 private:
  std::string file_of(const StudiedModel& model, const GradientStudy& study) const {
    return folder_ / (model.name + "-" + sha256_hex(model.key(study).dump(-1)).substr(0, 16) + ".json");
  }
  std::filesystem::path folder_;  // empty: none is kept
};

}  // namespace

int gradients_command(const std::vector<std::string>& arguments) {
  GradientsOptions asked;
  if (!read_options(arguments, asked)) return kSuccess;
  const std::vector<std::string> forms{"text", "markdown", "json"};
  if (std::ranges::find(forms, asked.format) == forms.end())
    throw InputError("gradients: --format: unknown form '" + asked.format + "'" +
                     known_names(asked.format, forms));
  const GradientStudy study = study_of(asked);
  if (asked.workloads.empty()) asked.workloads = workload_catalog().names();
  std::vector<StudiedModel> models;
  for (const std::string& text : asked.workloads)
    models.push_back(choose_model(choice_of("WORKLOAD", text), study));
  const Rows rows(asked.out);

  GradientTable table{models.front().methods, {}};
  Progress progress(asked.quiet);
  for (std::size_t i = 0; i < models.size(); ++i) {
    std::optional<GradientsOfModel> row = rows.find(models[i], study);
    if (!row) {
      progress.announce("model " + std::to_string(i + 1) + " of " + std::to_string(models.size()) + ": " +
                        models[i].name + ", batch " + std::to_string(models[i].batch) + " …");
      row = study_model(models[i], study);
      rows.keep(models[i], study, *row);
    }
    if (models[i].learners.empty() && !study.exchanges.empty()) add_recorded(models[i], study, *row);
    table.models.push_back(std::move(*row));
  }
  progress.say("");
  std::cout << (asked.format == "json"       ? to_json(table).dump() + "\n"
                : asked.format == "markdown" ? to_markdown(table)
                                             : to_text(table));
  return kSuccess;
}

}  // namespace traincast
