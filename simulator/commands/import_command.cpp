#include <algorithm>

#include "base/error.hpp"
#include "base/names.hpp"
#include "base/units.hpp"
#include "simulator/commands/command.hpp"
#include "simulator/commands/command_options.hpp"
#include "workloads/timeline/recorded_timeline.hpp"

namespace traincast {

namespace {

double duration(const std::string& option, const std::string& text) {
  auto seconds = parse_quantity(text, Unit::duration);
  if (!seconds || *seconds < 0)
    throw InputError("import: " + option + " must be a duration with its unit, as in 20ms, got '" + text +
                     "'");
  return *seconds;
}

RecordedTimeline chosen(std::vector<RecordedTimeline> models, const std::string& file,
                        const std::string& name) {
  std::vector<std::string> names;
  for (const RecordedTimeline& model : models) names.push_back(model.model);
  if (name.empty() && models.size() == 1) return models.front();
  if (name.empty())
    throw InputError("import: " + file + " holds several models; name one with --model: " + join(names));
  auto found = std::find(names.begin(), names.end(), name);
  if (found == names.end())
    throw InputError("import: --model: unknown model '" + name + "'" + known_names(name, names));
  return std::move(models[static_cast<std::size_t>(found - names.begin())]);
}

}  // namespace

int import_command(const std::vector<std::string>& arguments) {
  std::string table, model, device = "unknown", forward, optimizer = "0s", out;
  CommandOptions takes(
      "import",
      "traincast import TABLE\n\nMakes of a table of backward passes the timeline of one model, for "
      "\"timings\": "
      "{\"name\": \"recorded\"}.\nColumns, separated by tabs: model idx tensor numel ready_gap_us, or model "
      "idx "
      "wait_us bytes");
  takes.value("model", model, "NAME", "which model of the table (the only one)");
  takes.value("forward", forward, "TIME", "of the forward pass, as in 20ms; it is not in the table");
  takes.value("optimizer", optimizer, "TIME", "of the update, likewise (0s)");
  takes.value(
      "device", device, "NAME",
      "what the passes ran on; where it is an accelerator's name, a scenario may take codec times from that "
      "one");
  takes.value("out", out, "FILE", "where to write (the terminal)");
  takes.argument("table", table);
  if (!takes.read(arguments)) return kSuccess;
  if (table.empty()) throw InputError("import: names no table; see traincast import --help");
  RecordedTimeline timeline = chosen(read_tensor_traces(table), table, model);
  if (forward.empty())
    throw InputError(
        "import: the table has backward passes only; say with --forward how long the forward pass takes");
  timeline.device = device;
  timeline.forward_s = duration("--forward", forward);
  timeline.optimizer_s = duration("--optimizer", optimizer);
  print_or_write(out, timeline.to_json().dump() + "\n");
  return kSuccess;
}

}  // namespace traincast
