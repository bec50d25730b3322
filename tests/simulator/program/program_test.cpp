// The program from outside: exit codes, messages, what it writes and what it leaves.
#include <gmock/gmock.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/files.hpp"
#include "base/json.hpp"
#include "base/serial.hpp"
#include "tests/simulator/program/program_helpers.hpp"
#include "tests/support/cifar_files.hpp"
#include "tests/support/sanitized.hpp"
#include "tests/support/scratch_folder.hpp"

namespace traincast {
namespace {

std::string write_scenario(const ScratchFolder& folder, const std::string& text) {
  std::string path = folder / "scenario.json";
  write_text_file(path, text);
  return path;
}

TEST(Program, AnswersBadInputWithExitCodeTwoAndOneLine) {
  ScratchFolder folder;
  std::string path = write_scenario(folder, R"({"name": "x", "learners": 0})");
  Outcome outcome = traincast("run " + path);
  EXPECT_EQ(outcome.code, 2);
  EXPECT_EQ(outcome.output, "traincast: " + path + ":/learners: must lie in [1, 65536], got 0\n");
}

TEST(Program, SaysSoWhenItsOutputCannotBeWritten) {
  if (!std::filesystem::exists("/dev/full")) GTEST_SKIP() << "no /dev/full here";
  FILE* pipe = popen(TRAINCAST_BINARY_DIR "/bin/traincast list stacks 2>&1 >/dev/full", "r");
  char line[256] = "";
  EXPECT_NE(std::fgets(line, sizeof line, pipe), nullptr);
  EXPECT_EQ(WEXITSTATUS(pclose(pipe)), 3);
  EXPECT_EQ(std::string(line), "traincast: standard output could not be written: is the disk full?\n");
}

TEST(Program, ValidatesATableByNameOrFile) {
  Outcome markdown = traincast("validate powersgd_lstm --format markdown");
  EXPECT_EQ(markdown.code, 0) << markdown.output;
  EXPECT_THAT(markdown.output, ::testing::HasSubstr("| Rank 1 | data per epoch | 24.96 | 25 \\* |"));
  Outcome file =
      traincast("validate " TRAINCAST_SOURCE_DIR "/analysis/published/powersgd_lstm.json --format json");
  EXPECT_EQ(file.code, 0) << file.output;
  EXPECT_EQ(Json::parse(file.output, "standard output").at("tables").items().size(), 1u);
  Outcome unknown = traincast("validate powersgd_lstn");
  EXPECT_EQ(unknown.code, 2);
  EXPECT_THAT(unknown.output, ::testing::StartsWith("traincast: unknown table 'powersgd_lstn'; did you mean "
                                                    "'powersgd_lstm'?; known: "));
}

TEST(Program, RefusesWordsThatItDoesNotKnow) {
  EXPECT_EQ(traincast("rnu").output,
            "traincast: unknown command 'rnu'; did you mean 'run'?; known: run, check, compare, loops, plot, "
            "export, "
            "validate, import, trace, gradients, list, schema, "
            "reference\n");
  EXPECT_EQ(traincast("list compresors").output,
            "traincast: list: unknown kind 'compresors'; did you mean 'compressors'?; known: workloads, "
            "data, shards, optimizers, schedules, gradients, timings, compressors, collectives, stacks, "
            "topologies, clusters, speeds, accelerators, training, engines, "
            "figures\n");
  for (const char* arguments : {"", "rnu", "list compresors", "run", "run a b", "run x.json --threads 0",
                                "run x.json --nope", "export", "export x.json",
                                "export --goal x.json --point 0", "list --format yaml", "run /nowhere.json"})
    EXPECT_EQ(traincast(arguments).code, 2) << arguments;
}

TEST(Program, HelpsWithExitCodeZero) {
  for (const char* arguments :
       {"--help", "run --help", "check --help", "compare --help", "export --help", "trace --help",
        "gradients --help", "list --help", "schema --help", "reference --help", "--version"}) {
    Outcome outcome = traincast(arguments);
    EXPECT_EQ(outcome.code, 0) << arguments;
    EXPECT_FALSE(outcome.output.empty()) << arguments;
  }
}

TEST(Program, TellsWhatATraceHoldsAndWhetherItIsWhole) {
  ScratchFolder folder;
  const std::string trace = folder / "trace";
  std::filesystem::copy(TRAINCAST_SOURCE_DIR "/tests/gate/trace", trace);
  Outcome text = traincast("trace info " + trace);
  EXPECT_EQ(text.code, 0) << text.output;
  EXPECT_THAT(text.output, ::testing::HasSubstr("8005 parameters in"));
  Json info = Json::parse(traincast("trace info --format json --threads 1 " + trace).output, "info");
  EXPECT_EQ(info.at("parameters").integer(), 8005);
  EXPECT_EQ(info.at("learners").integer(), 8);
  const Json& layer = info.at("layers").items()[0];
  for (const char* key : {"ready_s", "norm", "norm_of_mean", "density", "effective_density", "similarity"})
    EXPECT_TRUE(layer.at(key).is_number()) << key;

  EXPECT_THAT(traincast("trace verify " + trace).output,
              ::testing::StartsWith(trace + ": whole: 8 learners"));
  std::string bytes = read_text_file(trace + "/step-000002.safetensors");
  bytes.back() ^= 1;
  write_text_file(trace + "/step-000002.safetensors", bytes);
  Outcome damaged = traincast("trace verify " + trace);
  EXPECT_EQ(damaged.code, 1);
  EXPECT_THAT(damaged.output,
              ::testing::AllOf(
                  ::testing::StartsWith("traincast: " + trace + "/step-000002.safetensors: its sha256 is"),
                  ::testing::EndsWith("the file is damaged or was changed\n")));
  EXPECT_EQ(traincast("trace info " + trace).code, 2);
  EXPECT_EQ(traincast("trace verify " + (folder / "nowhere")).code, 2);
  EXPECT_EQ(
      traincast("trace inform " + trace).output,
      "traincast: trace: unknown action 'inform'; did you mean 'info'?; known: info, verify, timeline\n");
}

TEST(Program, TakesTheTimesOfATraceAsARecordedTimeline) {
  ScratchFolder folder;
  const std::string trace = TRAINCAST_SOURCE_DIR "/tests/gate/trace", file = folder / "timeline.json";
  EXPECT_EQ(traincast("trace timeline " + trace + " --out " + file).code, 0);
  const Json times = Json::read_file(file), manifest = Json::read_file(trace + "/manifest.json");
  EXPECT_EQ(times.at("device").text(), manifest.at("device").text());
  EXPECT_EQ(times.at("tensors").items().size(), manifest.at("layers").items().size());
  const std::string scenario = folder / "run.json";
  write_text_file(scenario,
                  R"({"name": "again", "learners": 2, "steps": 1, "gradients": {"name": "trace", "path": ")" +
                      trace + R"("}, "timings": {"name": "recorded", "path": "timeline.json"},
      "platform": {"name": "star", "bandwidth": "1Gbps", "latency": "5us"}})");
  ASSERT_EQ(traincast("run " + scenario + " --out " + (folder / "out")).code, 0);
  const Json report = Json::read_file(folder / "out/report.json");
  double backward = 0;
  for (const Json& ready : manifest.at("ready_s").items()) backward = std::max(backward, ready.number());
  EXPECT_NEAR(report.at("points").items()[0].at("compute_seconds").number(),
              manifest.at("forward_s").number() + backward + manifest.at("optimizer_s").number(), 1e-9);
  EXPECT_EQ(traincast("trace info " + trace + " --out " + file).output,
            "traincast: trace: --out goes with timeline\n");
}

// Two learners in one process, and as two ranks whose gradients DistributedDataParallel averages: the same
// traces.
TEST(Program, ReadsWhatPyTorchTrainingRecords) {
  const char* chosen = std::getenv("TRAINCAST_PYTHON");
  const std::string python = chosen ? chosen : "python3";
  if (std::system((python + " -c 'import torch, safetensors.torch' 2>/dev/null").c_str()) != 0)
    GTEST_SKIP() << python << " (TRAINCAST_PYTHON names another) lacks torch or safetensors";
  ScratchFolder folder;
  const std::string scripts = TRAINCAST_SOURCE_DIR "/scripts/traincast_trace.py",
                    training = TRAINCAST_SOURCE_DIR "/tests/simulator/program/record_with_torch.py";
  ASSERT_EQ(std::system((python + " " + training + " " + folder.path()).c_str()), 0);
  EXPECT_EQ(traincast("trace verify " + (folder / "two")).code, 1) << "the ranks are not put together yet";
  ASSERT_EQ(std::system((python + " " + scripts + " " + (folder / "two")).c_str()), 0);
  std::vector<Json> info;
  for (const char* name : {"one", "two"}) {
    EXPECT_EQ(traincast("trace verify " + (folder / name)).code, 0);
    write_text_file(folder / "run.json", R"({"name": "theirs", "learners": 2, "steps": 1,
        "gradients": {"name": "trace", "path": ")" +
                                             std::string(name) + R"("},
        "timings": {"name": "given", "forward": "1ms", "backward": "2ms"}, "platform": {"name": "star", "bandwidth": "1Gbps", "latency": "5us"}})");
    EXPECT_EQ(traincast("run " + (folder / "run.json")).code, 0);
    info.push_back(Json::parse(traincast("trace info --format json " + (folder / name)).output, name));
  }
  ASSERT_EQ(info[0].at("layers").items().size(), 4u);
  EXPECT_EQ(info[0].at("layers").items()[0].at("kind").text(), "linear.weight");
  for (std::size_t i = 0; i < 4; ++i)
    for (const char* key : {"norm", "norm_of_mean", "similarity"}) {
      const double one = info[0].at("layers").items()[i].at(key).number();
      EXPECT_NEAR(info[1].at("layers").items()[i].at(key).number(), one, 1e-5) << i << " " << key;
      EXPECT_LT(one, 0.9) << "averaged gradients would have similarity 1";
    }
}

TEST(Program, ListsWhatCanBeChosenAsJson) {
  Json entries = Json::parse(traincast("list --format json").output, "list");
  ASSERT_TRUE(entries.is_array());
  bool found = false;
  for (const Json& entry : entries.items()) {
    for (const char* key : {"kind", "name", "summary", "source"}) EXPECT_TRUE(entry.at(key).is_string());
    found = found || (entry.at("kind").text() == "compressors" && entry.at("name").text() == "powersgd");
  }
  EXPECT_TRUE(found);
}

TEST(Program, PrintsASchemaAndAReferenceThatNameEveryCompressor) {
  Json schema = Json::parse(traincast("schema").output, "schema");
  std::string text = schema.dump(), reference = traincast("reference").output;
  Json entries = Json::parse(traincast("list compressors --format json").output, "list");
  for (const Json& entry : entries.items()) {
    EXPECT_NE(text.find("\"" + entry.at("name").text() + "\""), text.npos);
    EXPECT_NE(reference.find("### `" + entry.at("name").text() + "`"), reference.npos);
  }
}

#ifdef TRAINCAST_HAS_CAPTURE

const char* const kLive = R"({
  "name": "live", "learners": 2, "steps": 2,
  "workload": {"name": "mlp", "hidden": [8], "batch": 4, "samples_per_learner": 8},
  "platform": {"name": "star", "bandwidth": "1Gbps"},
  "sweep": {"/learners": [2, 4], "/compressor": ["none", {"name": "topk", "density": 0.1}]}})";

TEST(Program, RunsOnGradientsTrainedNowAndCleansUp) {
  ScratchFolder folder;
  std::string path = write_scenario(folder, kLive);
  Outcome outcome = traincast("run " + path + " --out " + (folder / "out"));
  ASSERT_EQ(outcome.code, 0) << outcome.output;
  std::set<std::string> left;
  for (const auto& entry : std::filesystem::directory_iterator(folder / "out"))
    left.insert(entry.path().filename());
  EXPECT_EQ(left, (std::set<std::string>{"environment.json", "points.csv", "report.json", "timeline.json",
                                         "timings.json"}));
  Json report = Json::read_file(folder / "out/report.json");
  EXPECT_EQ(report.at("points").items().size(), 4u);
  EXPECT_EQ(report.at("traincast").at("gradients").items().at(0).at("source").text(), "live");

  // The same gradients and times again, on another number of threads: the same report to the byte.
  for (const char* threads : {"1", "2"}) {
    std::string again = folder / ("again" + std::string(threads));
    ASSERT_EQ(traincast("run " + path + " --quiet --out " + again + " --timings " +
                        (folder / "out/timings.json") + " --threads " + threads)
                  .code,
              0);
    EXPECT_EQ(Json::read_file(again + "/report.json").at("points").dump(), report.at("points").dump());
  }
  EXPECT_EQ(read_text_file(folder / "again1/report.json"), read_text_file(folder / "again2/report.json"));
}

// Ends a run with a signal to it alone as soon as `condition` holds, and gives its exit code.
int end_when(const std::vector<std::string>& arguments, int signal, const std::function<bool()>& condition) {
  std::vector<char*> raw;
  for (const std::string& argument : arguments) raw.push_back(const_cast<char*>(argument.c_str()));
  raw.push_back(nullptr);
  pid_t child = fork();
  if (child == 0) {
    freopen("/dev/null", "w", stderr);
    execv(raw[0], raw.data());
    _exit(127);
  }
  int status = 0;
  for (bool sent = false; waitpid(child, &status, WNOHANG) == 0; usleep(1000))
    if (!sent && condition()) {
      kill(child, signal);
      sent = true;
    }
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

// What is sent of gradients that are kept nowhere is, to the byte, what is sent of those that went through a
// trace, which stands beside them on the same dense trajectory.
TEST(Program, RecordsTheSameExchangesOfGradientsThatAreKeptNowhere) {
  ScratchFolder scratch;
  const std::string file = scratch / "streamed.json";
  write_text_file(file, R"({
    "name": "streamed", "learners": 6, "steps": 3, "accelerator": "v100", "buckets": "tensor",
    "workload": {"name": "mlp", "hidden": [24, 16], "batch": 8, "samples_per_learner": 64},
    "gradients": {"name": "live", "after": 2},
    "platform": {"name": "star", "bandwidth": "1Gbps", "latency": "5us"},
    "sweep": {"/compressor": [{"name": "topk", "density": 0.02}, {"name": "powersgd", "rank": 2},
                              {"name": "dgc", "density": 0.02}]}})");
  auto exchanges = [&](const std::string& name, const std::string& options) {
    const std::string folder = scratch / name;
    const Outcome outcome = traincast("run " + file + " --quiet --record " + folder + " " + options);
    EXPECT_EQ(outcome.code, 0) << outcome.output;
    std::map<std::string, std::string> all;
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
      std::string bytes = read_text_file(entry.path());
      // Two lines, the method and where gradients come from, which alone differs, come first.
      std::string_view body(bytes);
      for (int line = 0; line < 2; ++line) body.remove_prefix(body.find('\n') + 1);
      Reader reader(body);
      const std::string method = reader.get_text(), source = reader.get_text();
      EXPECT_THAT(source, ::testing::HasSubstr('"' + name + '"'));
      bytes = method + std::string(body.substr(2 * sizeof(std::uint64_t) + method.size() + source.size()));
      all[entry.path().filename()] = bytes;
    }
    return all;
  };
  const auto live = exchanges("live", "");
  EXPECT_GE(live.size(), 4u);
  EXPECT_EQ(exchanges("streamed", "--set /gradients/name=streamed"), live);
  EXPECT_EQ(exchanges("streamed", "--set /gradients/name=streamed --threads 1"), live);
}

/// The finished trace that a run keeps in its folder; "" where there is none.
std::string trace_kept_in(const std::string& out) {
  if (!std::filesystem::exists(out)) return "";
  for (const auto& entry : std::filesystem::directory_iterator(out))
    if (std::filesystem::exists(entry.path() / "trace/manifest.json")) return entry.path() / "trace";
  return "";
}

/// True where a run to its end replaced, or did away with and made anew, the trace that was there.
bool captures_again(const std::vector<std::string>& command, const std::string& out) {
  const std::string manifest = trace_kept_in(out) + "/manifest.json";
  const auto written = std::filesystem::last_write_time(manifest);
  bool same = true;
  EXPECT_EQ(end_when(command, 0,
                     [&] {
                       const std::string now = trace_kept_in(out) + "/manifest.json";
                       std::error_code gone;
                       same = same &&
                              (now == "/manifest.json" ||
                               (now == manifest && std::filesystem::last_write_time(now, gone) == written));
                       return false;
                     }),
            0);
  return !same;
}

TEST(Program, TakesUpTheGradientsOfAnInterruptedRun) {
  ScratchFolder folder;
  std::string path = write_scenario(folder, R"({
    "name": "long", "learners": 64, "steps": 4, "workload": {"name": "mlp", "hidden": [64], "batch": 2},
    "platform": {"name": "star", "bandwidth": "1Gbps"}, "compressor": {"name": "powersgd", "rank": 4}})");
  const std::string out = folder / "out";
  std::vector<std::string> command{
      TRAINCAST_BINARY_DIR "/bin/traincast", "run", path, "--quiet", "--out", out};
  EXPECT_EQ(end_when(command, SIGTERM, [&] { return !trace_kept_in(out).empty(); }), 128 + SIGTERM);
  ASSERT_NE(trace_kept_in(out), "") << "captured gradients stay for the next run";
  EXPECT_FALSE(std::filesystem::exists(folder / "out/report.json"));
  EXPECT_FALSE(captures_again(command, out));
  EXPECT_TRUE(std::filesystem::exists(folder / "out/report.json"));
  EXPECT_EQ(trace_kept_in(out), "") << "gone with the end of the run";
}

TEST(Program, LeavesGradientsOfOtherDataUnderTheSamePathAside) {
  ScratchFolder folder;
  write_cifar10(folder, 64);
  std::string path = write_scenario(folder, R"({
    "name": "long", "learners": 64, "steps": 4,
    "workload": {"name": "mlp", "hidden": [64], "batch": 2, "samples_per_learner": 8,
                 "data": {"name": "cifar10", "path": "."}},
    "platform": {"name": "star", "bandwidth": "1Gbps"}, "compressor": {"name": "powersgd", "rank": 4}})");
  const std::string out = folder / "out";
  std::vector<std::string> command{
      TRAINCAST_BINARY_DIR "/bin/traincast", "run", path, "--quiet", "--out", out};
  EXPECT_EQ(end_when(command, SIGTERM, [&] { return !trace_kept_in(out).empty(); }), 128 + SIGTERM);
  ASSERT_NE(trace_kept_in(out), "");
  write_text_file(folder / "test_batch.bin", cifar_record(4, '\x40'));
  EXPECT_TRUE(captures_again(command, out));
}

TEST(Program, TrainsInTheLoopAnewWhereTheDataAreOthersUnderTheSamePath) {
  ScratchFolder folder;
  write_cifar10(folder, 4);
  const std::string path = write_scenario(folder, R"({
    "name": "loop", "learners": 4, "steps": 100, "compressor": {"name": "topk", "density": 0.1},
    "workload": {"name": "mlp", "hidden": [8], "batch": 2, "samples_per_learner": 8,
                 "data": {"name": "cifar10", "path": "."}},
    "training": {"name": "sync_sgd", "evaluation_samples": 1}, "accelerator": "v100",
    "platform": {"name": "star", "bandwidth": "1Gbps"}, "sweep": {"/learners": [2, 4]}})");
  auto command = [&](const std::string& out) {
    return std::vector<std::string>{
        TRAINCAST_BINARY_DIR "/bin/traincast", "run", path, "--quiet", "--out", folder / out};
  };
  auto first_is_trained = [&] {
    if (!std::filesystem::exists(folder / "out/.training")) return false;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder / "out/.training"))
      if (entry.path().extension() == ".state") return true;
    return false;
  };
  ASSERT_EQ(end_when(command("out"), SIGTERM, first_is_trained), 128 + SIGTERM);
  write_cifar10(folder, 5);
  ASSERT_EQ(end_when(command("out"), 0, [] { return false; }), 0);
  ASSERT_EQ(end_when(command("fresh"), 0, [] { return false; }), 0);
  EXPECT_EQ(read_text_file(folder / "out/report.json"), read_text_file(folder / "fresh/report.json"));
}

TEST(Program, NamesTheDataOfTrainingInTheLoop) {
  ScratchFolder folder;
  const std::string path = write_scenario(folder, R"({
    "name": "loop", "learners": 2, "steps": 2, "compressor": {"name": "topk", "density": 0.1},
    "workload": {"name": "mlp", "hidden": [8], "batch": 2, "samples_per_learner": 8},
    "training": {"name": "sync_sgd", "evaluation_samples": 10}, "accelerator": "v100",
    "platform": {"name": "star", "bandwidth": "1Gbps"}})");
  const Outcome outcome = traincast("run " + path + " --quiet --out " + (folder / "out"));
  ASSERT_EQ(outcome.code, 0) << outcome.output;
  const Json gradients =
      Json::read_file(folder / "out/report.json").at("traincast").at("gradients").items()[0];
  EXPECT_EQ(gradients.at("data").at("name").text(), "procedural images");
  EXPECT_TRUE(gradients.at("data").at("made").flag());
  EXPECT_EQ(gradients.at("optimizer").at("name").text(), "sgd");
  EXPECT_NE(gradients.at("versions").at("libtorch").text(), "");
}

// 64 learners with a memory of 8 MB each: what the run says beforehand, and what it takes.
TEST(Program, TakesNoMoreMemoryThanItSaysBeforehand) {
  if (kSanitized) GTEST_SKIP() << "the sanitizer takes memory of its own";
  ScratchFolder scratch;
  write_text_file(scratch / "large.json", R"({
    "name": "large", "learners": 64, "steps": 2, "compressor": {"name": "topk", "density": 0.001},
    "gradients": {"name": "synthetic", "shape": [2000000]},
    "timings": {"name": "given", "forward": "1ms", "backward": "2ms", "encode": {"topk": "1ms"},
                "decode": {"topk": "1ms"}},
    "platform": {"name": "star", "bandwidth": "1Gbps", "latency": "5us"}})");
  for (std::string memory : {"fp32", "bf16", "file"}) {
    const std::string out = scratch / memory;
    const Outcome outcome = traincast("run " + (scratch / "large.json") + " --quiet --threads 2 --out " +
                                      out + " --set /error_feedback/memory=" + memory);
    ASSERT_EQ(outcome.code, 0) << outcome.output;
    const Json environment = Json::read_file(out + "/environment.json");
    const double expected = environment.at("expected_memory_bytes").number();
    const double peak = environment.at("peak_memory_bytes").number();
    EXPECT_LE(peak, 1.1 * expected) << memory;
    EXPECT_GE(peak, 0.5 * expected) << memory << ": what is said is of some use";
  }
}

#ifdef TRAINCAST_HAS_CAPTURE
TEST(Program, TakesNoMoreMemoryForStreamedGradientsThanItSaysBeforehand) {
  if (kSanitized) GTEST_SKIP() << "the sanitizer takes memory of its own";
  ScratchFolder scratch;
  write_text_file(scratch / "large.json", R"({
    "name": "large", "learners": 64, "steps": 2, "compressor": {"name": "topk", "density": 0.001},
    "gradients": "streamed", "accelerator": "v100",
    "workload": {"name": "mlp", "hidden": [512], "batch": 2, "samples_per_learner": 4},
    "platform": {"name": "star", "bandwidth": "1Gbps", "latency": "5us"}})");
  const Outcome outcome =
      traincast("run " + (scratch / "large.json") + " --quiet --threads 2 --out " + (scratch / "out"));
  ASSERT_EQ(outcome.code, 0) << outcome.output;
  const Json environment = Json::read_file(scratch / "out/environment.json");
  for (const Json& process : {environment, environment.at("learners")}) {
    const double expected = process.at("expected_memory_bytes").number();
    const double peak = process.at("peak_memory_bytes").number();
    EXPECT_LE(peak, 1.1 * expected);
    EXPECT_GE(peak, 0.5 * expected);
  }
}

TEST(Program, RefusesLearnersThatTheMemoryDoesNotHoldBeforeTheyBegin) {
  ScratchFolder folder;
  const std::string path = write_scenario(folder, R"({
    "name": "large", "learners": 2, "steps": 1, "compressor": "none", "accelerator": "v100",
    "workload": {"name": "convnet", "width": 512, "batch": 65536, "samples_per_learner": 65536},
    "platform": {"name": "star", "bandwidth": "1Gbps"}})");
  for (const char* how : {"/gradients=streamed", "/training=sync_sgd", "/gradients=live"}) {
    const Outcome outcome = traincast("run " + path + " --quiet --set " + how);
    EXPECT_EQ(outcome.code, 2) << how;
    EXPECT_THAT(outcome.output, ::testing::HasSubstr("for activations of")) << how;
    EXPECT_THAT(outcome.output,
                ::testing::HasSubstr("are available; take a smaller batch or model, or fewer --threads"))
        << how;
  }
}
#endif

TEST(Program, PrintsNothingWhenQuiet) {
  ScratchFolder folder;
  Outcome outcome = traincast("run " + write_scenario(folder, kLive) + " --quiet");
  EXPECT_EQ(outcome.code, 0);
  EXPECT_EQ(outcome.output, "");
}

#endif

}  // namespace
}  // namespace traincast
