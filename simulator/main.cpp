// The program: finds the command, turns exceptions into exit codes, and nothing else.
#include <exception>
#include <iostream>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/interrupt.hpp"
#include "base/names.hpp"
#include "simulator/commands/command.hpp"
#include "simulator/version.hpp"

namespace traincast {

const std::vector<Command>& commands() {
  static const std::vector<Command> all{
      {"run", "run SCENARIO [--out DIR] [--set POINTER=VALUE]…", "predicts what a scenario asks for",
       run_command},
      {"check", "check BASELINE [SCENARIO | REPORT] [--timings] [--update REASON] [--junit FILE]…",
       "holds a scenario's numbers against a baseline: the gate of continuous integration", check_command},
      {"compare", "compare A B [C…] [--format json]", "what changed between reports", compare_command},
      {"loops", "loops SCENARIO [--out DIR] [--set POINTER=VALUE]…",
       "the open loop beside training with the method, step by step", loops_command},
      {"plot", "plot OUT [REPORT…]", "draws the figures of a run, or of several reports", plot_command},
      {"export", "export --goal SCENARIO [--point N] [--out FILE]",
       "writes a step's collectives for other simulators", export_command},
      {"validate", "validate [NAME | FILE.json]… [--format text|markdown|json]",
       "published measurements beside predictions, and how wrong these are", validate_command},
      {"import", "import TABLE --forward TIME [--model NAME] [--out FILE]",
       "makes a recorded timeline of a table of backward passes", import_command},
      {"trace", "trace info | verify PATH [--format json]",
       "what recorded gradients are like; whether a trace is whole", trace_command},
      {"gradients", "gradients [WORKLOAD]… [--learners LIST] [--compressor METHOD]… [--format markdown]",
       "what methods make of the gradients of models: build-up, ratio, contraction", gradients_command},
      {"list", "list [KIND] [--format json]", "what can be chosen, by name", list_command},
      {"schema", "schema", "the scenario language as JSON schema", schema_command},
      {"reference", "reference", "the scenario language as Markdown", reference_command}};
  return all;
}

namespace {

void print_help() {
  std::cout << "traincast predicts how fast a cluster trains with compressed gradients.\n\n";
  for (const Command& command : commands())
    std::cout << "  traincast " << command.usage << "\n      " << command.summary << "\n";
  std::cout << "\n  traincast COMMAND --help tells the options. Exit codes: 0 success, 1 failed check, 2 bad "
               "input, "
               "3 simulation failure.\n";
}

int dispatch(std::vector<std::string> arguments) {
  if (arguments.empty()) {
    print_help();
    return kBadInput;
  }
  std::string name = arguments.front();
  arguments.erase(arguments.begin());
  if (name == "--help" || name == "help") {
    print_help();
    return kSuccess;
  }
  if (name == "--version") {
    std::cout << version_info().dump() << "\n";
    return kSuccess;
  }
  std::vector<std::string> known;
  for (const Command& command : commands()) {
    known.emplace_back(command.name);
    if (command.name == name) return command.run(arguments);
  }
  throw InputError("unknown command '" + name + "'" + known_names(name, known));
}

}  // namespace
}  // namespace traincast

int main(int count, char** values) {
  traincast::watch_interrupts();
  try {
    int code = traincast::dispatch({values + 1, values + count});
    if (!std::cout.flush())
      throw traincast::SimulationError("standard output could not be written: is the disk full?");
    return code;
  } catch (const traincast::Interrupted& interrupt) {
    std::cerr << "traincast: interrupted; with --out, the same command goes on from what is captured and "
                 "trained\n";
    return 128 + interrupt.signal;
  } catch (const traincast::InputError& error) {
    std::cerr << "traincast: " << error.what() << "\n";
    return traincast::kBadInput;
  } catch (const traincast::SimulationError& error) {
    std::cerr << "traincast: " << error.what() << "\n";
    return traincast::kSimulationFailed;
  } catch (const std::exception& error) {
    std::cerr << "traincast: unexpected: " << error.what() << "\n";
    return traincast::kSimulationFailed;
  }
}
