#include "simulator/gradient_study.hpp"

#include <algorithm>
#include <filesystem>
#include <map>
#include <memory>
#include <set>

#include "base/error.hpp"
#include "base/files.hpp"
#include "base/programs.hpp"
#include "simulator/pass/exchange_file.hpp"
#include "simulator/pass/gradients.hpp"
#include "simulator/pass/synthetic_gradients.hpp"
#include "simulator/point_report.hpp"
#include "simulator/run.hpp"
#include "simulator/scenario/scenario.hpp"
#include "workloads/workload.hpp"

namespace traincast {

namespace fs = std::filesystem;

namespace {

// Named in messages; paths in a workload are relative to its folder.
constexpr const char* kPlace = "./gradients";

// Larger models are trained on a GPU, whose recorded exchanges any machine can read.
std::vector<std::uint32_t> learners_for(std::uint64_t parameters) {
  if (parameters < 1'000'000) return {8, 64, 1024};
  if (parameters < 15'000'000) return {8, 64};
  return {};
}

// One pass takes this share of the budget at most, so that timing a large model is soon done.
constexpr double kShareOfPass = 1.0 / 40;

double flops_of_pass(const Model& model) {
  double forward = 0;
  for (const LayerCost& cost : model.costs) forward += cost.flops;
  return 3 * forward;
}

/// Of a model's data. Where they are not there, which the capture says again, samples are taken to suffice.
struct Source {
  std::string words;  ///< "grammar, made", "cifar10"
  std::uint64_t samples = kEndless;
};

Source source_of(const Parameters& workload, const Model& model, std::uint64_t seed) {
  const JsonReader choice = workload.choice("data");
  const Json& data = choice.value();
  Source source{(data.is_object() ? data.at("name") : data).text()};
  try {
    const auto made = make_dataset(choice, model, seed);
    source.samples = made->size(Split::train);
    if (made->describe().at("made").flag()) source.words += ", made";
  } catch (const InputError&) {
  }
  return source;
}

/// Samples that each of so many learners can have, where these do not suffice for what the workload takes as
/// it stands.
std::optional<std::uint64_t> fewer_samples(const Parameters& workload, std::uint64_t samples,
                                           std::uint32_t learners) {
  const std::uint64_t each = samples / learners;
  if (each >= static_cast<std::uint64_t>(workload.count("samples_per_learner"))) return std::nullopt;
  return each;
}

/// All methods at all numbers of learners; times are of no account.
Json scenario_of(const Json& workload, const std::vector<std::uint32_t>& learners,
                 const GradientStudy& study) {
  Json scenario;
  scenario["name"] = "gradients";
  scenario["learners"] = learners.front();
  scenario["steps"] = study.steps;
  scenario["seed"] = study.seed;
  scenario["workload"] = workload;
  scenario["accelerator"] = "v100";
  scenario["platform"]["name"] = "star";
  scenario["platform"]["bandwidth"] = "10Gbps";
  scenario["platform"]["latency"] = "5us";
  scenario["sweep"]["/learners"] = Json::list(learners);
  scenario["sweep"]["/compressor"] = Json::list(study.compressors);
  return scenario;
}

/// What a program said last, without its name.
std::string last_words(const std::string& log) {
  std::string text = fs::exists(log) ? read_text_file(log) : "";
  while (text.ends_with('\n')) text.pop_back();
  if (auto line = text.rfind('\n'); line != text.npos) text.erase(0, line + 1);
  const std::string name = "traincast-capture: ";
  if (text.starts_with(name)) text.erase(0, name.size());
  return text;
}

void time_pass(const StudiedModel& model, const GradientStudy& study, GradientsOfModel& row) {
  const TemporaryFolder folder = make_temporary_folder();
  const std::string file = *folder / "pass.json", log = *folder / "log";
  const ProgramEnd end = run_program(
      {{capture_program().string(), "--workload", model.workload.dump(-1), "--folder",
        fs::current_path().string(), "--seed", std::to_string(study.seed), "--time", file, "--quiet"},
       "",
       log});
  if (end.code != 0 || end.signal != 0) {
    row.lacking.push_back("no pass was timed: " +
                          (end.signal != 0
                               ? "traincast-capture was ended by signal " + std::to_string(end.signal)
                               : last_words(log)));
    return;
  }
  const Json json = Json::read_file(file);
  const JsonReader passes(json, file);
  row.pass_cpu_s = passes.at("pass_cpu_s").number();
  row.processor = passes.at("device").text();
}

RunOptions run_options(const GradientStudy& study) {
  RunOptions options;
  options.break_evens = false;
  options.comparisons = false;
  options.threads = study.threads;
  options.quiet = true;
  return options;
}

MethodNumbers numbers_of(const PointReport& point) {
  MethodNumbers numbers{std::nullopt, point.wire_ratio, std::nullopt};
  if (point.build_up) numbers.build_up = point.build_up->final_union.mean;
  if (point.contraction) numbers.contraction = point.contraction->mean;
  return numbers;
}

/// Of which training, and the file of each method.
struct Recorded {
  std::string gradients;
  std::map<std::size_t, std::string> files;
};

/// What was recorded of this model with these methods, by number of learners, the files in order of their
/// names: of the training of which most methods were.
std::map<std::uint32_t, Recorded> recorded_of(const StudiedModel& model, const GradientStudy& study) {
  std::map<std::uint32_t, std::map<std::string, std::map<std::size_t, std::string>>> found;
  if (study.exchanges.empty()) return {};
  std::set<std::string> files;
  for (const auto& entry : fs::directory_iterator(study.exchanges))
    if (entry.path().extension() == ".exchange") files.insert(fs::absolute(entry.path()).string());
  for (const std::string& file : files) {
    const RecordedExchange exchange = read_exchange(file);
    if (exchange.model != model.name || exchange.record.parameters != model.parameters) continue;
    if (are_drawn(Json::parse(exchange.gradients, file))) continue;
    const Plan plan = make_plan(scenario_of(model.workload, {exchange.record.learners}, study), kPlace, {});
    for (std::size_t i = 0; i < plan.points.size(); ++i)
      if (exchange_key(plan.points[i].scenario) == exchange.method)
        found[exchange.record.learners][exchange.gradients].try_emplace(i, file);
  }
  std::map<std::uint32_t, Recorded> most;
  for (const auto& [learners, trainings] : found)
    for (const auto& [gradients, of_methods] : trainings)
      if (of_methods.size() > most[learners].files.size()) most[learners] = {gradients, of_methods};
  return most;
}

/// The mini-batch and the data of recorded gradients, as far as they say.
GradientsOfModel::AtLearners::Recorded origin_of(const std::string& gradients, const std::string& file,
                                                 std::uint64_t seed) {
  const Json json = Json::parse(gradients, file);
  const Json* workload = json.find("workload");
  if (!workload) {  // of others' training
    const Json* data = json.find("data");
    const Json* name = data ? data->find("name") : nullptr;
    const Json* batch = data ? data->find("batch") : nullptr;
    return {batch && batch->is_number() ? static_cast<std::uint64_t>(batch->number()) : 0,
            name && name->is_string() ? name->text() : "not stated"};
  }
  const JsonReader at(*workload, file, "/workload");
  const Parameters parameters = read_workload(at);
  return {static_cast<std::uint64_t>(parameters.count("batch")),
          source_of(parameters, workload_catalog().find(at).make(parameters), seed).words};
}

}  // namespace

Json StudiedModel::key(const GradientStudy& study) const {
  Json key;
  key["format"] = 2;
  key["workload"] = workload;
  key["learners"] = Json::list(learners);
  key["compressors"] = Json::list(study.compressors);
  key["steps"] = study.steps;
  key["seed"] = study.seed;
  return key;
}

StudiedModel choose_model(const Json& given, const GradientStudy& study) {
  const JsonReader at(given, kPlace, "/workload");
  const auto& entry = workload_catalog().find(at);
  const Parameters parameters = read_workload(at);
  const Model model = entry.make(parameters);
  StudiedModel chosen;
  chosen.name = entry.name;
  chosen.workload = parameters.resolved();
  chosen.parameters = model.parameters();
  chosen.learners = study.learners.empty() ? learners_for(chosen.parameters) : study.learners;
  chosen.batch = static_cast<std::uint64_t>(parameters.count("batch"));
  const double passes =
      chosen.learners.empty() ? 1 : static_cast<double>(chosen.learners.back() * study.steps);
  const double most = study.most_flops * std::min(1 / passes, kShareOfPass);
  if (!given.find("batch"))
    while (chosen.batch > 1 && static_cast<double>(chosen.batch) * flops_of_pass(model) > most)
      chosen.batch /= 2;
  chosen.workload["batch"] = chosen.batch;
  const Source source = source_of(parameters, model, study.seed);
  chosen.data = source.words;
  if (!given.find("samples_per_learner") && !chosen.learners.empty())
    if (auto fewer = fewer_samples(parameters, source.samples, chosen.learners.back()))
      chosen.workload["samples_per_learner"] = std::max(*fewer, chosen.batch);
  const std::vector<std::uint32_t> any{1};
  const Plan plan = make_plan(
      scenario_of(chosen.workload, chosen.learners.empty() ? any : chosen.learners, study), kPlace, {});
  for (std::size_t i = 0; i < study.compressors.size(); ++i)
    chosen.methods.push_back(label_of(plan.points[i]));
  return chosen;
}

GradientsOfModel study_model(const StudiedModel& model, const GradientStudy& study) {
  GradientsOfModel row;
  row.model = model.name;
  row.workload = model.workload;
  row.parameters = model.parameters;
  row.batch = model.batch;
  row.data = model.data;
  time_pass(model, study, row);
  if (model.learners.empty()) return row;
  try {
    const RunResult result =
        run(make_plan(scenario_of(model.workload, model.learners, study), kPlace, {}), run_options(study));
    auto point = result.report.points.begin();
    for (std::uint32_t learners : model.learners) {
      auto& at = row.at.emplace_back(GradientsOfModel::AtLearners{learners, {}, {}});
      for (std::size_t i = 0; i < study.compressors.size(); ++i) at.methods.push_back(numbers_of(*point++));
    }
  } catch (const InputError& error) {
    row.lacking.push_back(error.what());
  } catch (const SimulationError& error) {
    row.lacking.push_back(error.what());
  }
  for (std::size_t i = row.at.size(); i < model.learners.size(); ++i)
    row.at.push_back({model.learners[i], {}, {}});
  return row;
}

void add_recorded(const StudiedModel& model, const GradientStudy& study, GradientsOfModel& row) {
  for (const auto& [learners, recorded] : recorded_of(model, study)) {
    auto& at = row.at.emplace_back(GradientsOfModel::AtLearners{learners, {}, {}});
    at.methods.resize(study.compressors.size());
    at.recorded = origin_of(recorded.gradients, recorded.files.begin()->second, study.seed);
    for (const auto& [method, file] : recorded.files) {
      Json scenario = scenario_of(model.workload, {learners}, study);
      scenario["steps"] = read_exchange(file).steps.size();
      scenario["compressor"] = study.compressors[method];
      scenario["gradients"]["name"] = "exchange";
      scenario["gradients"]["path"] = file;
      for (const char* key : {"workload", "sweep"})
        std::erase_if(scenario.members(), [&](const Json::Member& member) { return member.first == key; });
      at.methods[method] =
          numbers_of(run(make_plan(scenario, kPlace, {}), run_options(study)).report.points.front());
    }
  }
}

}  // namespace traincast
