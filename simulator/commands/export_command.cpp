#include <sstream>

#include "base/error.hpp"
#include "base/machine.hpp"
#include "simulator/collectives/goal.hpp"
#include "simulator/commands/command.hpp"
#include "simulator/commands/command_options.hpp"
#include "simulator/first_step.hpp"

namespace traincast {

int export_command(const std::vector<std::string>& arguments) {
  std::string scenario, out;
  std::vector<std::string> sets;
  int place = 1;
  CommandOptions takes("export", "traincast export --goal SCENARIO");
  takes.value(
      "goal", scenario, "SCENARIO",
      "writes the collectives of the first step as a GOAL schedule, as LogGOPSim and ATLAHS read it, one "
      "behind "
      "another by bucket");
  takes.value("point", place, "N", "the point of the sweep, counted from 1 (1)");
  takes.value("set", sets, "POINTER=VALUE",
              "another value in the scenario, as in --set /platform/bandwidth=25Gbps");
  takes.value("out", out, "FILE", "where to write (the terminal)");
  if (!takes.read(arguments)) return kSuccess;
  if (scenario.empty()) throw InputError("export: names no scenario file; see traincast export --help");
  if (place < 1) throw InputError("export: --point must be at least 1, got " + std::to_string(place));
  Plan plan = read_plan(scenario, sets);
  auto index = static_cast<std::size_t>(place);
  if (index > plan.points.size())
    throw InputError("export: --point must lie in [1, " + std::to_string(plan.points.size()) + "], got " +
                     std::to_string(place));
  RunOptions run_options;
  run_options.threads = processor_count();
  run_options.quiet = out.empty();
  auto collectives = first_step_collectives(plan, plan.points[index - 1], run_options);
  if (collectives.empty()) throw InputError("export: a single learner has no collectives to export");
  std::ostringstream text;
  write_goal(text, collectives);
  print_or_write(out, text.str());
  return kSuccess;
}

}  // namespace traincast
