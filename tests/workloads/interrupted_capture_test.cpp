// What is left of a capture that is stopped, killed or out of room, and how it goes on; what it refuses
// beforehand.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <set>
#include <thread>

#include "base/files.hpp"
#include "tests/support/cifar_files.hpp"
#include "tests/support/refusal.hpp"
#include "tests/support/scratch_folder.hpp"
#include "tests/workloads/capture_helpers.hpp"

namespace traincast {
namespace {

TEST(Capture, GoesOnWhereItWasStopped) {
  ScratchFolder folder;
  std::atomic<bool> stop{false};
  const Manifest whole = run(request_for(kSmallMlp, 8, 8, 1, folder / "whole")).manifest;
  auto request = request_for(kSmallMlp, 8, 8, 2, folder / "t");
  EXPECT_THROW(capture(request, stop, [&](std::uint64_t step, std::uint32_t, double) { stop = step == 3; }),
               Interrupted);
  EXPECT_EQ(
      refusal([&] { TraceReader(folder / "t", 1); }),
      folder / "t" +
          std::string(": a capture that is not finished (unfinished.log is there, manifest.json is not); "
                      "the command that began it goes on with it"));
  EXPECT_EQ(
      refusal([&] { run(request_for(kSmallMlp, 8, 8, 1, folder / "t", 1)); }),
      folder / "t/unfinished.log" +
          std::string(": the folder holds unfinished steps of another training (or of another version or "
                      "device); name another folder or remove it"));
  stop = false;
  CaptureResult rest = capture(request, stop);
  EXPECT_EQ(rest.taken_up, 3u);
  EXPECT_EQ(rest.losses.size(), 5u);
  ASSERT_EQ(rest.manifest.files.size(), whole.files.size());
  for (std::size_t i = 0; i < whole.files.size(); ++i)
    EXPECT_EQ(rest.manifest.files[i].sha256, whole.files[i].sha256) << i;
  EXPECT_EQ(TraceReader(folder / "t", 1).manifest().steps.size(), 8u);
  EXPECT_FALSE(std::filesystem::exists(folder / "t/unfinished.log"));
}

TEST(Capture, DoesNotGoOnWithOtherDataOfTheSameNames) {
  ScratchFolder folder;
  write_cifar10(folder);
  std::atomic<bool> stop{false};
  const auto request = request_for(
      R"({"name": "mlp", "hidden": [8], "batch": 2, "samples_per_learner": 4, "data": {"name": "cifar10", "path": ")" +
          folder.path() + "\"}}",
      2, 4, 1, folder / "t");
  EXPECT_THROW(capture(request, stop, [&](std::uint64_t step, std::uint32_t, double) { stop = step == 2; }),
               Interrupted);
  stop = false;
  write_text_file(folder / "data_batch_3.bin", cifar_record(4, '\x20') + cifar_record(9, '\x70'));
  EXPECT_THAT(refusal([&] { capture(request, stop); }),
              testing::HasSubstr("the folder holds unfinished steps of another training"));
  write_cifar10(folder);
  EXPECT_EQ(capture(request, stop).taken_up, 2u);
}

TEST(Capture, TrainsAgainWhatWasDamagedMeanwhile) {
  ScratchFolder folder;
  std::atomic<bool> stop{false};
  auto request = request_for(kSmallMlp, 2, 6, 1, folder / "t");
  EXPECT_THROW(capture(request, stop, [&](std::uint64_t step, std::uint32_t, double) { stop = step == 4; }),
               Interrupted);
  std::filesystem::resize_file(folder / "t/step-000001.safetensors", 100);
  write_text_file(folder / "t/unfinished.log",
                  read_text_file(folder / "t/unfinished.log") + "{\"path\": \"st");
  stop = false;
  EXPECT_EQ(capture(request, stop).taken_up, 3u) << "steps 0, 2 and 3";
  const Manifest whole = run(request_for(kSmallMlp, 2, 6, 1, folder / "whole")).manifest;
  const Manifest mended = TraceReader(folder / "t", 1).manifest();
  for (std::size_t i = 0; i < whole.files.size(); ++i)
    EXPECT_EQ(mended.files[i].sha256, whole.files[i].sha256) << i;
}

TEST(Capture, OfFewerStepsLeavesNothingOfThoseThatAnEarlierOneRecorded) {
  ScratchFolder folder;
  std::atomic<bool> stop{false};
  auto request = request_for(kSmallMlp, 2, 6, 1, folder / "t");
  EXPECT_THROW(capture(request, stop, [&](std::uint64_t step, std::uint32_t, double) { stop = step == 4; }),
               Interrupted);
  // As of one that was killed: a step that the log has not, and half of another.
  write_text_file(folder / "t/step-000004.safetensors", "finished");
  write_text_file(folder / "t/step-000005.safetensors.partial", "half");
  stop = false;
  request.windows = {{1, 2}};
  capture(request, stop);
  std::set<std::string> left;
  for (const auto& entry : std::filesystem::directory_iterator(folder / "t"))
    left.insert(entry.path().filename());
  EXPECT_EQ(left,
            (std::set<std::string>{"manifest.json", "step-000001.safetensors", "step-000002.safetensors"}));
}

TEST(Capture, LeavesNothingOfRoundedValuesWhenItIsStopped) {
  ScratchFolder folder;
  std::atomic<bool> stop{false};
  auto request = request_for(kSmallMlp, 2, 6, 1, folder / "t");
  request.values = Stored::bf16;
  EXPECT_THROW(capture(request, stop, [&](std::uint64_t step, std::uint32_t, double) { stop = step == 3; }),
               Interrupted);
  EXPECT_FALSE(std::filesystem::exists(folder / "t"));
}

TEST(Capture, RefusesWhatMemoryCannotHold) {
  ScratchFolder folder;
  std::string widths = "60000";
  for (int i = 1; i < 12; ++i) widths += ", 60000";
  auto request = request_for(R"({"name": "mlp", "hidden": [)" + widths + "]}", 1, 1, 1, folder / "t");
  // 24 bytes a parameter, of which there are 3072 · 60000 + 11 · 60000² and some, and twice the largest
  // tensor.
  EXPECT_THAT(refusal([&] { run(request); }),
              testing::AllOf(testing::HasSubstr("of memory: 984 GB for parameters, their moments and means"),
                             testing::HasSubstr("take a smaller batch or model, or fewer --threads")));
}

/// Peak and expectation of "memory: 210 MB at most, of 240 MB expected", in bytes, of learners whose data lie
/// in the folder.
std::pair<double, double> memory_of(const ScratchFolder& folder, const std::string& workload) {
  const std::string command = std::string(TRAINCAST_BINARY_DIR) + "/bin/traincast-capture --workload '" +
                              workload +
                              "' --learners 64 --steps 1 --values bf16 --device cpu --threads 2 --folder " +
                              folder.path() + " --out " + (folder / "t") + " 2> " + (folder / "log");
  std::filesystem::remove_all(folder / "t");
  EXPECT_EQ(std::system(command.c_str()), 0);
  const std::string log = read_text_file(folder / "log");
  double peak = 0, expected = 0;
  char peak_unit[3] = "", expected_unit[3] = "";
  EXPECT_EQ(std::sscanf(log.substr(log.find("memory: ")).c_str(), "memory: %lf %2s at most, of %lf %2s",
                        &peak, peak_unit, &expected, expected_unit),
            4)
      << log;
  auto scale = [](const char* unit) { return unit[0] == 'M' ? 1e6 : unit[0] == 'G' ? 1e9 : 0; };
  return {peak * scale(peak_unit), expected * scale(expected_unit)};
}

TEST(CaptureProgram, StaysWithinTheMemoryThatItExpects) {
  ScratchFolder folder;
  write_cifar10(folder, 1000);  // 31 MB
  std::string text;
  while (text.size() < 8'000'000)
    text += "A line of text, of which there are many. " + std::to_string(text.size());
  write_text_file(folder / "text", text);
  for (
      const char* workload :
      {R"({"name": "mlp", "hidden": [512], "batch": 2})", R"({"name": "convnet", "width": 8, "batch": 64})",
       R"({"name": "mlp", "hidden": [8], "batch": 2, "samples_per_learner": 100, "data": {"name": "cifar10", "path": "."}})",
       R"({"name": "lstm_characters", "units": 8, "width": 8, "batch": 2, "data": {"name": "text", "path": "text"}})",
       R"({"name": "gpt", "length": 512, "heads": 8, "width": 16, "layers": 1, "vocabulary": 64, "batch": 1,
            "samples_per_learner": 8})",
       R"({"name": "mlp", "hidden": [8], "batch": 2, "samples_per_learner": 100000,
            "shards": {"name": "dirichlet", "alpha": 1}})"}) {
    auto [peak, expected] = memory_of(folder, workload);
    EXPECT_LE(peak, 1.1 * expected) << workload;
    EXPECT_GE(peak, 0.6 * expected) << workload << ": refuses what would fit";
  }
}

// A limit on the size of files stands in for a disk that runs full: the same refusal from the same call.
TEST(CaptureProgram, GoesOnOnceThereIsRoomAgain) {
  ScratchFolder folder;
  const std::string command = std::string(TRAINCAST_BINARY_DIR) + "/bin/traincast-capture --workload '" +
                              kSmallMlp + "' --learners 4 --steps 3 --quiet --out " + (folder / "t");
  write_text_file(folder / "full.sh", "trap '' XFSZ\nulimit -f 100\nexec " + command + "\n");
  int status = std::system(("sh " + (folder / "full.sh") + " 2> " + (folder / "error")).c_str());
  EXPECT_EQ(WEXITSTATUS(status), 2);
  EXPECT_THAT(read_text_file(folder / "error"),
              testing::HasSubstr("step-000000.safetensors: cannot be written: File too large"));
  EXPECT_THROW(TraceReader(folder / "t", 1), InputError);
  EXPECT_EQ(WEXITSTATUS(std::system(command.c_str())), 0);
  EXPECT_EQ(TraceReader(folder / "t", 1).manifest().steps.size(), 3u);
}

TEST(Capture, RefusesWhatTheDiskCannotHold) {
  ScratchFolder folder;
  auto request = request_for(R"({"name": "mlp", "hidden": [256]})", 65536, 1000000, 1, folder / "t");
  EXPECT_THAT(refusal([&] { run(request); }), testing::HasSubstr("are free; take fewer learners or steps"));
}

/// Starts the executable, gives it a signal once its first step is written, and returns its exit code.
int exit_code_of(const std::vector<std::string>& words, int signal, const std::string& first_step) {
  std::string program = std::string(TRAINCAST_BINARY_DIR) + "/bin/traincast-capture";
  std::vector<char*> arguments{program.data()};
  std::vector<std::string> copies = words;
  for (std::string& word : copies) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  pid_t child = ::fork();
  if (child == 0) {
    ::execv(program.c_str(), arguments.data());
    ::_exit(127);
  }
  if (signal != 0) {
    for (int i = 0; i < 3000 && !std::filesystem::exists(first_step); ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    ::kill(child, signal);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

TEST(CaptureProgram, LeavesNoManifestWhenItIsInterruptedOrKilled) {
  ScratchFolder folder;
  std::vector<std::string> words{"--workload", kSmallMlp, "--learners", "4",         "--steps",
                                 "1000000",    "--quiet", "--out",      folder / "t"};
  std::string first = folder / "t/step-000000.safetensors";
  // A million steps would need more disk than may be free.
  words[5] = "2000";
  EXPECT_EQ(exit_code_of(words, SIGTERM, first), 128 + SIGTERM);
  EXPECT_THROW(TraceReader(folder / "t", 1), InputError);
  EXPECT_EQ(exit_code_of(words, SIGKILL, first), -SIGKILL);
  EXPECT_TRUE(std::filesystem::exists(first));
  EXPECT_THROW(TraceReader(folder / "t", 1), InputError);
  // What it left does not stand in the way.
  words[5] = "2";
  EXPECT_EQ(exit_code_of(words, 0, first), 0);
  EXPECT_EQ(TraceReader(folder / "t", 1).manifest().steps.size(), 2u);
  EXPECT_EQ(exit_code_of(words, 0, first), 2);
}

}  // namespace
}  // namespace traincast
