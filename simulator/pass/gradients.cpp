#include "simulator/pass/gradients.hpp"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <limits>
#include <numeric>
#include <utility>

#include "base/error.hpp"
#include "base/interrupt.hpp"
#include "base/programs.hpp"
#include "base/scratch_file.hpp"
#include "base/sha256.hpp"
#include "base/units.hpp"
#include "simulator/pass/learner_stream.hpp"
#include "simulator/pass/synthetic_gradients.hpp"
#include "workloads/layer_table.hpp"
#include "workloads/workload.hpp"

namespace traincast {

namespace fs = std::filesystem;

fs::path capture_program() {
  std::error_code error;
  fs::path self = fs::read_symlink("/proc/self/exe", error);
  fs::path beside = self.parent_path() / "traincast-capture";
  if (error || !fs::exists(beside))
    throw InputError("/gradients: live gradients need the program 'traincast-capture' beside this one (" +
                     beside.string() +
                     "), and it is not there; build it with -DTRAINCAST_CAPTURE=ON, or use a trace");
  return beside;
}

namespace {

std::string short_digest(const std::string& text) { return sha256_hex(text).substr(0, 16); }

void run_capture(const std::vector<std::string>& arguments) {
  ProgramEnd end = run_program({arguments, "", ""});
  if (end.signal != 0)
    throw SimulationError("traincast-capture was ended by signal " + std::to_string(end.signal) + " (" +
                          strsignal(end.signal) + ")");
  if (end.code == kBadInput) throw InputError("traincast-capture refused the workload (see above)");
  if (end.code != 0)
    throw SimulationError("traincast-capture ended with exit code " + std::to_string(end.code) +
                          " (see above)");
}

// Before hours of training: the trace of a run is kept on the disk while it lasts.
void refuse_what_has_no_room(const Scenario& scenario, const std::string& file, std::uint32_t learners,
                             std::uint64_t steps, const fs::path& folder) {
  const Model model = scenario.workload->entry->make(scenario.workload->parameters);
  const double needed =
      static_cast<double>(trace_step_bytes(model.layers, learners)) * static_cast<double>(steps);
  const auto free = static_cast<double>(fs::space(folder).available);
  if (needed > free)
    throw PlacedError(file, "/gradients",
                      "live gradients of " + std::to_string(learners) + " learners and " +
                          std::to_string(steps) + " steps take " + format_bytes(needed) + " in " +
                          folder.string() + ", and " + format_bytes(free) +
                          " are free; take fewer learners or steps, another folder (--out, or TMPDIR without "
                          "it), or keep none of them: {\"name\": \"streamed\"}");
}

ServedLearners learners_of(const Scenario& scenario, const RunPlace& place, std::uint32_t learners) {
  return {.program = capture_program().string(),
          .workload = scenario.workload->parameters.resolved().dump(-1),
          .folder = fs::absolute(place.scenario_file).parent_path().string(),
          .layers = scenario.workload->entry->make(scenario.workload->parameters).layers,
          .learners = learners,
          .seed = scenario.seed,
          .threads = place.threads};
}

// What interrupted runs of other scenarios left here would only take room.
void remove_stale(const fs::path& out, const std::string& current) {
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(out, ignored)) {
    std::string name = entry.path().filename();
    if (name.starts_with(".gradients-") && name != current) fs::remove_all(entry.path(), ignored);
  }
}

}  // namespace

void Gradients::refuse_other_workload(const Scenario& scenario, const std::string& file,
                                      const fs::path& folder) const {
  const std::string manifest_file = folder / "manifest.json";
  Json recorded = manifest().workload;
  if (!recorded.is_null())  // with the defaults of parameters that an older manifest lacks
    recorded = read_workload(JsonReader(recorded, manifest_file, "/workload")).resolved();
  const Json asked = scenario.workload->parameters.resolved();
  if (asked.dump(-1) != recorded.dump(-1))
    throw PlacedError(file, "/workload",
                      "the trace " + folder.string() + " was recorded of " + recorded.dump(-1) + ", not of " +
                          asked.dump(-1) + "; leave it out to take what is there");
}

Gradients::Gradients(std::span<const Point* const> points, const RunPlace& place) {
  std::uint32_t learners = 0;
  std::uint64_t steps = 0;
  const Scenario& first = points.front()->scenario;
  for (const Point* point : points) {
    learners = std::max(learners, point->scenario.learners);
    steps = std::max(steps, point->scenario.steps);
  }
  if (first.training) {
    const ServedLearners served = learners_of(first, place, learners);
    LinkedProgram asked(served.command_line(), SharedMemory::create(sizeof(float)));
    shapes_ = describe(asked, served);
    shapes_.steps.resize(steps);
    std::iota(shapes_.steps.begin(), shapes_.steps.end(), std::uint64_t{0});
    return;
  }
  if (first.gradients.entry->make == GradientSourceKind::exchange) {
    std::string file =
        (fs::path(place.scenario_file).parent_path() / first.gradients.parameters.word("path")).string();
    exchange_ = read_exchange(file);
    if (exchange_->steps.size() < steps)
      throw PlacedError(place.scenario_file, "/steps",
                        "the exchange " + file + " has " + std::to_string(exchange_->steps.size()) +
                            " steps, and the scenario asks for " + std::to_string(steps));
    shapes_.model = exchange_->model;
    shapes_.layers = exchange_->layers();
    shapes_.learners = exchange_->record.learners;
    shapes_.steps = exchange_->steps;
    shapes_.seed = exchange_->seed;
    shapes_.data = Json::parse(exchange_->gradients, file);
    if (const Json* workload = shapes_.data.find("workload")) shapes_.workload = *workload;
    return;
  }
  if (const GradientSourceKind kind = first.gradients.entry->make;
      !has_gradients(kind) || kind == GradientSourceKind::synthetic) {
    Json model = first.gradients.parameters.word("model");
    if (model.text().empty()) {
      shapes_.model = first.gradients.entry->name;
      shapes_.layers = {{0, "tensor", first.gradients.parameters.counts("shape"), "given"}};
      if (shapes_.parameters() > std::numeric_limits<Index>::max())
        throw PlacedError(place.scenario_file, "/gradients/shape",
                          "a tensor has at most " + std::to_string(std::numeric_limits<Index>::max()) +
                              " elements, got " + std::to_string(shapes_.parameters()));
    } else {
      LayerTable table = find_layer_table(JsonReader(model, place.scenario_file, "/gradients/model"));
      shapes_.model = table.name;
      shapes_.layers = std::move(table.layers);
      shapes_.data["sample"] = table.sample;
      shapes_.data["batch"] = first.gradients.parameters.count("batch");
      costs_ = std::move(table.costs);
    }
    shapes_.learners = learners;
    shapes_.steps.resize(steps);
    std::iota(shapes_.steps.begin(), shapes_.steps.end(), std::uint64_t{0});
    if (kind == GradientSourceKind::synthetic) {
      shapes_.seed = first.seed;
      trace_ = std::make_unique<SyntheticGradients>(shapes_, first.gradients.parameters);
    }
    return;
  }
  if (first.gradients.entry->make == GradientSourceKind::trace) {
    fs::path folder = fs::path(place.scenario_file).parent_path() / first.gradients.parameters.word("path");
    trace_ = std::make_unique<TraceReader>(folder.string(), place.threads);
    if (manifest().learners < learners)
      throw PlacedError(place.scenario_file, "/learners",
                        "the trace " + folder.string() + " has " + std::to_string(manifest().learners) +
                            " learners, and the scenario asks for " + std::to_string(learners));
    if (manifest().steps.size() < steps)
      throw PlacedError(place.scenario_file, "/steps",
                        "the trace " + folder.string() + " has " + std::to_string(manifest().steps.size()) +
                            " steps, and the scenario asks for " + std::to_string(steps));
    if (first.workload) refuse_other_workload(first, place.scenario_file, folder);
    return;
  }

  std::string workload = first.workload->parameters.resolved().dump(-1);
  auto after = static_cast<std::uint64_t>(first.gradients.parameters.count("after"));
  if (first.gradients.entry->make == GradientSourceKind::streamed) {
    stream_ = std::make_unique<LearnerStream>(
        LearnerStreamOptions{learners_of(first, place, learners), after, steps});
    return;
  }
  std::string job = workload + " " + std::to_string(learners) + " " + std::to_string(steps) + " " +
                    std::to_string(after) + " " + std::to_string(first.seed);
  if (place.out.empty()) {
    temporary_ = make_temporary_folder();
  } else {
    std::string name = ".gradients-" + short_digest(job + " " + digest_of_data(first));
    remove_stale(place.out, name);
    temporary_.reset(new fs::path(place.out / name));
    temporary_.get_deleter().keep_for_resuming = true;
  }
  fs::path folder = *temporary_ / "trace";
  if (!fs::exists(folder / "manifest.json")) {
    fs::create_directories(*temporary_);
    if (!fs::exists(folder))
      refuse_what_has_no_room(first, place.scenario_file, learners, steps, *temporary_);
    std::vector<std::string> arguments{capture_program().string(),
                                       "--workload",
                                       workload,
                                       "--learners",
                                       std::to_string(learners),
                                       "--steps",
                                       std::to_string(after + steps),
                                       "--record",
                                       std::to_string(after) + "-" + std::to_string(after + steps - 1),
                                       "--folder",
                                       fs::absolute(place.scenario_file).parent_path().string(),
                                       "--seed",
                                       std::to_string(first.seed),
                                       "--threads",
                                       std::to_string(place.threads),
                                       "--out",
                                       folder.string()};
    if (place.quiet) arguments.emplace_back("--quiet");
    run_capture(arguments);
  }
  trace_ = std::make_unique<TraceReader>(folder.string(), place.threads);
}

namespace {

bool same_tensors(const std::vector<TensorInfo>& a, const std::vector<TensorInfo>& b) {
  return std::ranges::equal(a, b, {}, &TensorInfo::shape, &TensorInfo::shape);
}

}  // namespace

std::vector<LayerCost> Gradients::costs() const {
  if (!costs_.empty()) return costs_;
  const Manifest& model = manifest();
  if (!model.workload.is_null()) {
    Model trained = workload_model(JsonReader(model.workload, "manifest.json", "/workload"));
    if (same_tensors(trained.layers, model.layers)) return trained.costs;
  }
  for (const std::string& name : layer_table_names()) {
    Json text = name;
    LayerTable table = find_layer_table(JsonReader(text, name));
    if (same_tensors(table.layers, model.layers)) return table.costs;
  }
  return {};
}

std::uint64_t Gradients::batch() const {
  const Json* batch = manifest().data.find("batch");
  return batch && batch->is_integer() && batch->integer() > 0 ? static_cast<std::uint64_t>(batch->integer())
                                                              : 0;
}

std::string digest_of_data(const Scenario& scenario) {
  const Parameters& workload = scenario.workload->parameters;
  const Model model = scenario.workload->entry->make(workload);
  return short_digest(make_dataset(workload.choice("data"), model, scenario.seed)->describe().dump(-1));
}

TemporaryFolder make_temporary_folder() {
  std::string pattern = (temporary_folder() / "traincast-XXXXXX").string();
  if (!mkdtemp(pattern.data())) throw InputError(pattern + ": cannot be made: " + std::strerror(errno));
  return TemporaryFolder(new fs::path(pattern));
}

void RemoveFolder::operator()(const fs::path* folder) const {
  std::error_code ignored;
  if (!keep_for_resuming || !interrupted()) fs::remove_all(*folder, ignored);
  delete folder;
}

}  // namespace traincast
