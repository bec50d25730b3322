#include "workloads/capture/capture_options.hpp"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <functional>
#include <thread>
#include <vector>

#include "base/error.hpp"
#include "base/names.hpp"
#include "workloads/workload.hpp"

namespace traincast {

namespace {

std::uint64_t whole_number(const std::string& option, const std::string& text, std::uint64_t least,
                           std::uint64_t most) {
  std::uint64_t value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value < least || value > most)
    throw InputError(option + ": must be a whole number in [" + std::to_string(least) + ", " +
                     std::to_string(most) + "], got '" + text + "'");
  return value;
}

// "0-3,100-103,200": ascending.
std::vector<std::pair<std::uint64_t, std::uint64_t>> windows_of(const std::string& text) {
  std::vector<std::pair<std::uint64_t, std::uint64_t>> windows;
  for (std::size_t begin = 0; begin <= text.size();) {
    std::size_t end = std::min(text.find(',', begin), text.size());
    std::string part = text.substr(begin, end - begin);
    std::size_t dash = part.find('-');
    std::uint64_t first = whole_number("--record", part.substr(0, dash), 0, 1000000);
    std::uint64_t last =
        dash == part.npos ? first : whole_number("--record", part.substr(dash + 1), 0, 1000000);
    if (last < first || (!windows.empty() && first <= windows.back().second))
      throw InputError("--record: steps must ascend, as in 0-3,100-103; got '" + text + "'");
    windows.emplace_back(first, last);
    begin = end + 1;
  }
  return windows;
}

Device device_of(const std::string& word) {
  static const std::vector<std::string> kWords{"auto", "cpu", "cuda"};
  auto found = std::find(kWords.begin(), kWords.end(), word);
  if (found == kWords.end())
    throw InputError("--device: unknown device '" + word + "'" + known_names(word, kWords));
  return static_cast<Device>(found - kWords.begin());
}

Stored values_of(const std::string& word) {
  std::vector<std::string> known;
  for (const StoredType& type : kStoredTypes) {
    known.emplace_back(type.in_options);
    if (word == known.back()) return type.type;
  }
  throw InputError("--values: unknown type '" + word + "'" + known_names(word, known));
}

// JSON, the name of an entry, or a file with either as JSON.
void choose_workload(const std::string& text, const std::string& folder, CaptureRequest& request) {
  auto names = workload_catalog().names();
  bool name = std::find(names.begin(), names.end(), text) != names.end();
  bool json = !text.empty() && (text.front() == '{' || text.front() == '"');
  bool file = !name && !json && std::filesystem::exists(text);
  std::string where = file ? text : folder.empty() ? "--workload" : folder + "/--workload";
  Json value = file ? Json::read_file(text) : json ? Json::parse(text, where) : Json(text);
  JsonReader reader(value, where);
  const auto& entry = workload_catalog().find(reader);
  request.workload = entry.name;
  request.parameters = read_workload(reader);
  request.model = entry.make(request.parameters);
}

}  // namespace

std::optional<CommandLine> parse_command_line(std::span<const char* const> arguments) {
  CommandLine line;
  CaptureRequest& request = line.request;
  request.threads = std::max(1u, std::thread::hardware_concurrency());
  struct Option {
    std::string name;
    std::function<void(const std::string&)> take;
    bool needed = false, given = false;
  };
  std::vector<Option> options;
  auto number = [&](const char* name, auto& into, std::uint64_t least, std::uint64_t most) {
    return [name, &into, least, most](const std::string& text) {
      into = static_cast<std::remove_reference_t<decltype(into)>>(whole_number(name, text, least, most));
    };
  };
  std::string workload, folder;
  options.push_back({"--workload", [&](const std::string& text) { workload = text; }, true});
  options.push_back({"--learners", number("--learners", request.learners, 1, 65536), true});
  options.push_back({"--steps", number("--steps", request.steps, 1, 1000000), true});
  options.push_back({"--out", [&](const std::string& text) { request.out = text; }, true});
  options.push_back({"--record", [&](const std::string& text) { request.windows = windows_of(text); }});
  options.push_back({"--folder", [&](const std::string& text) { folder = text; }});
  options.push_back({"--calibrate", [&](const std::string& text) { line.calibrate = text; }});
  options.push_back({"--time", [&](const std::string& text) { line.time = text; }});
  options.push_back({"--seed", number("--seed", request.seed, 0, INT64_MAX)});
  options.push_back({"--threads", number("--threads", request.threads, 1, 1024)});
  options.push_back({"--device", [&](const std::string& text) { request.device = device_of(text); }});
  options.push_back({"--values", [&](const std::string& text) { request.values = values_of(text); }});

  std::vector<std::string> known{"--help", "--quiet", "--serve"};
  for (const Option& option : options) known.push_back(option.name);
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    std::string argument = arguments[i];
    if (argument == "--help" || argument == "-h") return std::nullopt;
    if (argument == "--quiet") {
      line.quiet = true;
      continue;
    }
    if (argument == "--serve") {
      line.serve = true;
      continue;
    }
    auto equals = argument.starts_with("--") ? argument.find('=') : argument.npos;
    std::string name = argument.substr(0, equals);
    auto option = std::find_if(options.begin(), options.end(), [&](auto& o) { return o.name == name; });
    if (option == options.end()) throw InputError("unknown option '" + name + "'" + known_names(name, known));
    if (option->given) throw InputError(name + ": stands twice");
    option->given = true;
    if (equals == argument.npos && i + 1 == arguments.size())
      throw InputError(name + ": a value must follow");
    option->take(equals == argument.npos ? std::string(arguments[++i]) : argument.substr(equals + 1));
  }
  auto calibrates = std::ranges::find(options, "--calibrate", &Option::name);
  if (calibrates->given) {
    for (const Option& option : options)
      if (option.given && option.name != "--calibrate" && option.name != "--device")
        throw InputError(option.name + ": goes with capturing, not with --calibrate");
    if (line.calibrate.empty()) throw InputError("--calibrate: must name a file");
    return line;
  }
  if (std::ranges::find(options, "--workload", &Option::name)->given)
    choose_workload(workload, folder, request);
  auto does_without = [&](const std::string& mode, const std::vector<std::string>& names) {
    for (Option& option : options) {
      if (std::ranges::find(names, option.name) == names.end()) continue;
      if (option.given) throw InputError(option.name + ": goes with capturing, not with " + mode);
      option.needed = false;
    }
  };
  const bool times = std::ranges::find(options, "--time", &Option::name)->given;
  if (line.serve) does_without("--serve", {"--steps", "--out", "--record", "--time"});
  if (times)
    does_without("--time",
                 {"--learners", "--steps", "--out", "--record", "--values", "--threads", "--device"});
  for (const Option& option : options)
    if (option.needed && !option.given) throw InputError(option.name + " is missing; see --help");
  if (times && line.time.empty()) throw InputError("--time: must name a file");
  if (line.serve || times) return line;
  if (!request.windows.empty() && request.windows.back().second >= request.steps)
    throw InputError("--record: step " + std::to_string(request.windows.back().second) +
                     " is not among the steps 0 to " + std::to_string(request.steps - 1) +
                     " that are trained");
  if (request.out.empty()) throw InputError("--out: must name a folder");
  return line;
}

std::string capture_help() {
  std::string text =
      "traincast-capture: trains a model by synchronous SGD over virtual learners and records the gradient "
      "of\n"
      "every learner at every step, as safetensors files with a manifest.\n\n"
      "  --workload W   one of those below, a JSON object with its parameters, or a file that holds one\n"
      "  --learners N   virtual learners, each with its own shard of the data\n"
      "  --steps S      steps to train\n"
      "  --record LIST  which of them to record, as in 0-3,100-103 (default: all)\n"
      "  --out DIR      where to; made where absent, refused where it already holds a trace\n"
      "  --folder DIR   what paths in the workload are relative to (default: the folder of its file, or this "
      "one)\n"
      "  --values V     how values are kept: fp32, or bf16 or fp16 at half the size (default fp32)\n"
      "  --seed K       of data, order and initial parameters (default 1)\n"
      "  --threads T    learners computed at once (default: one for each processor); never changes a result\n"
      "  --device D     auto, cpu or cuda (default auto)\n"
      "  --quiet        errors only\n"
      "  --serve        instead of --steps and --out: computes gradients for 'traincast run', which starts "
      "it "
      "so\n\n"
      "  --calibrate F  instead of all that: measures this device's primitives (passes over vectors, "
      "selection,\n"
      "                 products, orthogonalisation …) and writes its description as an accelerator into "
      "file F\n\n"
      "  --time F       with --workload, instead of capturing: measures what a learner's forward and "
      "backward "
      "pass\n"
      "                 over one mini-batch takes of one core, into file F\n\n"
      "Ends with 0, 2 (the input is wrong), 3 (training diverged), or 128 plus the signal that interrupted "
      "it;\n"
      "only 0 leaves a manifest.\n";
  for (const auto& entry : workload_catalog().entries()) {
    text += "\n" + std::string(entry.name) + ": " + std::string(entry.summary) + "\n";
    for (const Parameter& p : entry.parameters) {
      std::string key(p.key);
      key.resize(std::max<std::size_t>(key.size(), 20), ' ');
      text += "  " + key + " " + std::string(p.help) + " (" + std::string(to_string(p.unit)) +
              (p.range.empty() ? "" : " in " + std::string(p.range)) + ", default " +
              std::string(p.fallback) + ")\n";
    }
  }
  return text;
}

}  // namespace traincast
