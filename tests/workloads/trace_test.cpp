#include "workloads/trace/trace.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <thread>

#include "base/bf16.hpp"
#include "base/files.hpp"
#include "base/sha256.hpp"
#include "tests/support/refusal.hpp"
#include "tests/support/scratch_folder.hpp"
#include "tests/workloads/sample_trace.hpp"
#include "workloads/trace/safetensors.hpp"

namespace traincast {
namespace {

std::string error_of_opening(const std::string& folder) {
  return without(refusal([&] { TraceReader(folder, 2); }), folder);
}

void expect_sample(const TraceReader& reader) {
  const Manifest& m = reader.manifest();
  for (std::size_t step = 0; step < m.steps.size(); ++step)
    for (LearnerId learner = 0; learner < m.learners; ++learner)
      for (const TensorInfo& layer : m.layers) {
        std::vector<float> read(layer.numel());
        reader.read(step, learner, layer.id, read);
        ASSERT_EQ(read, sample_gradient(m.steps[step], learner, layer)) << step << " " << learner;
      }
}

TEST(Trace, GivesBackEveryGradient) {
  ScratchFolder folder;
  Manifest written = write_sample(folder / "t", 3, {0, 1, 10});
  TraceReader reader(folder / "t", 2);
  EXPECT_EQ(reader.manifest().to_json(), written.to_json());
  EXPECT_EQ(reader.manifest().timeline.ready_s, (std::vector<double>{0.25, 0.125}));
  EXPECT_EQ(reader.manifest().timeline.backward_s(), 0.25);
  expect_sample(reader);
}

TEST(Trace, SpreadsManyLearnersOverFiles) {
  ScratchFolder folder;
  Manifest written = write_sample(folder / "t", 300, {0, 1, 2, 3});
  EXPECT_EQ(written.files.size(), 12u);
  EXPECT_EQ(written.files[2].path, "step-000000-000256.safetensors");
  for (unsigned threads : {1u, 2u, 5u}) expect_sample(TraceReader(folder / "t", threads));
}

TEST(Trace, ReadsMoreFilesThanItKeepsOpen) {
  ScratchFolder folder;
  std::vector<std::uint64_t> steps(450);
  for (std::size_t i = 0; i < steps.size(); ++i) steps[i] = i;
  write_sample(folder / "t", 1, steps);
  expect_sample(TraceReader(folder / "t", 2));
}

TEST(Trace, IsWrittenByManyThreadsAtOnce) {
  ScratchFolder folder;
  auto layers = sample_manifest(1).layers;
  {
    TraceWriter writer(folder / "t", sample_manifest(200));
    writer.begin_step(0);
    std::vector<std::jthread> threads;
    for (LearnerId thread = 0; thread < 4; ++thread)
      threads.emplace_back([&, thread] {
        for (LearnerId learner = thread; learner < 200; learner += 4)
          for (const TensorInfo& layer : layers)
            writer.write(learner, layer.id, sample_gradient(0, learner, layer));
      });
    threads.clear();
    writer.end_step();
    writer.finish({.ready_s = {0, 0}});
  }
  expect_sample(TraceReader(folder / "t", 1));
}

TEST(Trace, LeavesNothingWhenItIsNotFinished) {
  ScratchFolder folder;
  {
    TraceWriter writer(folder / "t", sample_manifest(1));
    for (std::uint64_t step : {0, 1}) {
      writer.begin_step(step);
      for (const TensorInfo& layer : sample_manifest(1).layers)
        writer.write(0, layer.id, sample_gradient(step, 0, layer));
      if (step == 0) writer.end_step();
    }
    EXPECT_TRUE(std::filesystem::exists(folder / "t/step-000000.safetensors"));
  }
  EXPECT_FALSE(std::filesystem::exists(folder / "t"));
}

TEST(Trace, LeavesAnothersFilesWhenItIsNotFinished) {
  ScratchFolder folder;
  write_text_file(folder / "notes.txt", "mine");
  { TraceWriter(folder.path(), sample_manifest(1)).begin_step(0); }
  EXPECT_EQ(read_text_file(folder / "notes.txt"), "mine");
  EXPECT_FALSE(std::filesystem::exists(folder / "step-000000.safetensors.partial"));
}

TEST(Trace, IsNeverWrittenOverAnother) {
  ScratchFolder folder;
  write_sample(folder.path(), 1, {0});
  EXPECT_EQ(refusal([&] { write_sample(folder.path(), 1, {0}); }),
            folder.path() + ": already holds a trace (manifest.json); name another folder or remove it");
  expect_sample(TraceReader(folder.path(), 1));
}

TEST(Trace, SaysHowManyBytesAStepTakes) {
  ScratchFolder folder;
  Manifest written = write_sample(folder.path(), 300, {0});
  std::uint64_t bytes = 0;
  for (const TraceFile& file : written.files) bytes += std::filesystem::file_size(folder / file.path);
  EXPECT_EQ(trace_step_bytes(written.layers, 300), bytes);
}

/// A trace whose one step file is replaced, with the manifest's hash to match unless that is what is tested.
std::string error_with_file(const std::string& bytes, bool matching_hash = true) {
  ScratchFolder folder;
  write_sample(folder.path(), 2, {0});
  write_text_file(folder / "step-000000.safetensors", bytes);
  if (matching_hash) {
    Json json = Json::read_file(folder / "manifest.json");
    set_at_pointer(json, "/files/0/sha256", sha256_hex(bytes), "test");
    write_text_file(folder / "manifest.json", json.dump());
  }
  return error_of_opening(folder.path());
}

std::string sample_bytes() {
  ScratchFolder folder;
  write_sample(folder.path(), 2, {0});
  return read_text_file(folder / "step-000000.safetensors");
}

std::string step_bytes(const std::vector<SafetensorsTensor>& tensors) {
  return safetensors_header_bytes(tensors) + std::string(tensors.back().end, '\0');
}

std::string with_value(float value, std::size_t from_end) {
  std::string bytes = sample_bytes();
  std::memcpy(bytes.data() + bytes.size() - from_end, &value, sizeof value);
  return bytes;
}

TEST(Trace, RefusesFilesThatDoNotMatchTheManifest) {
  struct Bad {
    std::string bytes, message;
  };
  const Bad kBad[] = {
      {step_bytes({{"fc.weight", "F32", {2, 2, 3}, 0, 48}}),
       "step-000000.safetensors: has no tensor 'fc.bias', a layer of manifest.json"},
      {step_bytes({{"fc.weight", "F32", {2, 2, 3}, 0, 48},
                   {"fc.bias", "F32", {2, 2}, 48, 64},
                   {"extra", "F32", {1}, 64, 68}}),
       "step-000000.safetensors: tensor 'extra' is no layer of manifest.json"},
      {step_bytes({{"fc.weight", "F32", {2, 3, 2}, 0, 48}, {"fc.bias", "F32", {2, 2}, 48, 64}}),
       "step-000000.safetensors: tensor 'fc.weight': its shape is [2,3,2], but manifest.json gives [2,2,3] "
       "(learners first)"},
      {step_bytes({{"fc.weight", "F32", {3, 2, 3}, 0, 72}, {"fc.bias", "F32", {3, 2}, 72, 96}}),
       "step-000000.safetensors: tensor 'fc.weight': its shape is [3,2,3], but manifest.json gives [2,2,3] "
       "(learners first)"},
      {step_bytes({{"fc.weight", "I32", {2, 2, 3}, 0, 48}, {"fc.bias", "F32", {2, 2}, 48, 64}}),
       "step-000000.safetensors: tensor 'fc.weight': must be F32, BF16 or F16, got I32"},
      {step_bytes({{"fc.weight", "F32", {2, 2, 3}, 0, 48}, {"fc.bias", "BF16", {2, 2}, 48, 56}}),
       "step-000000.safetensors: tensor 'fc.bias': its type is BF16, but the trace's is F32"},
      {with_value(NAN, 4),
       "step-000000.safetensors: tensor 'fc.bias', learner 1, index 1: must be finite, got nan"},
      {with_value(INFINITY, 12),
       "step-000000.safetensors: tensor 'fc.bias', learner 0, index 1: must be finite, got inf"},
      {with_value(-INFINITY, 40),
       "step-000000.safetensors: tensor 'fc.weight', learner 1, index 0: must be finite, got -inf"},
  };
  for (const Bad& bad : kBad) EXPECT_EQ(error_with_file(bad.bytes), bad.message);
}

TEST(Trace, RefusesAChangedByte) {
  std::string bytes = sample_bytes(), changed = bytes;
  changed[changed.size() - 2] ^= 1;
  EXPECT_EQ(error_with_file(changed, false), "step-000000.safetensors: its sha256 is " + sha256_hex(changed) +
                                                 ", but manifest.json says " + sha256_hex(bytes) +
                                                 ": the file is damaged or was changed");
}

TEST(Trace, RefusesEveryTruncation) {
  std::string bytes = sample_bytes();
  for (std::size_t size :
       {std::size_t{0}, std::size_t{7}, std::size_t{8}, std::size_t{40}, bytes.size() - 64, bytes.size() - 1})
    EXPECT_NE(error_with_file(bytes.substr(0, size), false), "no error") << size;
  EXPECT_EQ(error_with_file(bytes.substr(0, bytes.size() - 1), false),
            "step-000000.safetensors: tensor 'fc.bias', the last, ends at byte " +
                std::to_string(bytes.size()) + ", but the file has " + std::to_string(bytes.size() - 1));
}

TEST(Trace, RefusesAFolderThatIsNone) {
  ScratchFolder folder;
  EXPECT_EQ(error_of_opening(folder.path()), "manifest.json: cannot be read: No such file or directory");
  write_sample(folder / "t", 1, {0, 1});
  std::filesystem::remove(folder / "t/step-000001.safetensors");
  EXPECT_EQ(error_of_opening(folder / "t"),
            "step-000001.safetensors: cannot be read: No such file or directory");
}

/// A trace of one learner and one step, whose file holds these bits.
void write_halves(const std::string& folder, Stored type, const std::vector<std::uint16_t>& bits) {
  Manifest m = sample_manifest(1);
  std::string in_file(stored_type(type).in_files);
  std::string bytes = safetensors_header_bytes(std::vector<SafetensorsTensor>{
      {"fc.weight", in_file, {1, 2, 3}, 0, 12}, {"fc.bias", in_file, {1, 2}, 12, 16}});
  for (std::uint16_t half : bits) bytes.append(reinterpret_cast<const char*>(&half), sizeof half);
  write_text_file(folder + "/f", bytes);
  m.steps = {0};
  m.timeline.ready_s = {0, 0};
  m.values = type;
  m.files = {{"f", 0, 0, 1, sha256_hex(bytes)}};
  write_text_file(folder + "/manifest.json", m.to_json().dump());
}

TEST(Trace, TakesTheTypeOfItsFilesWhereTheManifestStatesNone) {
  ScratchFolder folder;
  write_halves(folder.path(), Stored::bf16, {0x3f80, 0, 0, 0, 0, 0, 0xbf80, 0x4049});
  const std::string file = folder / "manifest.json";
  Json manifest = Json::read_file(file), silent;
  for (const auto& [key, value] : manifest.members())
    if (key != "values") silent[key] = value;
  write_text_file(file, silent.dump());
  TraceReader trace(folder.path(), 1);
  std::vector<float> bias(2);
  trace.read(0, 0, 1, bias);
  EXPECT_EQ(bias, (std::vector<float>{-1, 3.140625f}));
  EXPECT_TRUE(std::isnan(trace.manifest().rounding_error)) << "nobody states it";
}

TEST(Trace, WidensHalfPrecision) {
  ScratchFolder folder;
  std::vector<float> weight(6), bias(2), part(2);
  write_halves(folder.path(), Stored::bf16, {0x3f80, 0xc000, 0x0000, 0x0001, 0x4049, 0x7f7f, 0xbf80, 0x8000});
  TraceReader bf16(folder.path(), 1);
  bf16.read(0, 0, 0, weight);
  bf16.read(0, 0, 0, 4, part);
  EXPECT_EQ(weight, (std::vector<float>{1, -2, 0, std::bit_cast<float>(0x10000u), 3.140625f,
                                        std::bit_cast<float>(0x7f7f0000u)}));
  EXPECT_EQ(part, (std::vector<float>{weight[4], weight[5]}));
  write_halves(folder.path(), Stored::f16, {0, 0, 0, 0, 0, 0, 0x3c00, 0x0001});
  TraceReader(folder.path(), 1).read(0, 0, 1, bias);
  EXPECT_EQ(bias, (std::vector<float>{1, 0x1p-24f}));
  write_halves(folder.path(), Stored::f16, {0, 0, 0, 0, 0, 0, 0, 0x7c00});
  EXPECT_EQ(error_of_opening(folder.path()),
            "f: tensor 'fc.bias', learner 0, index 1: must be finite, got inf");
}

TEST(Trace, KeepsHalvesWithTheErrorOfRounding) {
  // 1 + 2^-10 lies a quarter of the way from 1 to the next bf16, and is an fp16; 1e-9 is below what fp16
  // holds.
  const std::vector<float> weight{1 + 0x1p-10f, 1, -2, 0, 4, 1e-9f}, bias{0.5f, -0.25f};
  const double squares = (1 + 0x1p-10) * (1 + 0x1p-10) + 1 + 4 + 16 + 0.25 + 0.0625;
  struct Case {
    Stored type;
    float first, tiny;
    double error;
  };
  for (const Case& c : {Case{Stored::bf16, 1, bf16_value(bf16_bits(1e-9f)), 0x1p-10 / std::sqrt(squares)},
                        Case{Stored::f16, 1 + 0x1p-10f, 0, 1e-9 / std::sqrt(squares)}}) {
    ScratchFolder folder;
    Manifest m = sample_manifest(2);
    m.values = c.type;
    TraceWriter writer(folder / "t", m);
    writer.begin_step(0);
    for (LearnerId learner : {0u, 1u}) writer.write(learner, 0, weight), writer.write(learner, 1, bias);
    writer.end_step();
    Manifest written = writer.finish({.ready_s = {0, 0}});
    EXPECT_NEAR(written.rounding_error, c.error, 1e-6 * c.error);
    EXPECT_EQ(std::filesystem::file_size(folder / "t/step-000000.safetensors"),
              trace_step_bytes(written.layers, 2, c.type));
    TraceReader reader(folder / "t", 1);
    EXPECT_EQ(reader.manifest().to_json(), written.to_json());
    std::vector<float> read(6);
    reader.read(0, 1, 0, read);
    EXPECT_EQ(read, (std::vector<float>{c.first, 1, -2, 0, 4, c.tiny}));
  }
}

TEST(Trace, RefusesToKeepWhatATypeCannotHold) {
  ScratchFolder folder;
  Manifest m = sample_manifest(1);
  m.values = Stored::f16;
  TraceWriter writer(folder / "t", m);
  writer.begin_step(0);
  EXPECT_EQ(refusal([&] {
              writer.write(0, 1, std::vector<float>{1, 65520});
            }),
            "a gradient has the value 65520.000000, which is beyond fp16; keep values as fp32 or bf16");
  writer.write(0, 1, std::vector<float>{1, 65519});
}

// Laid out as scripts/traincast_trace.py has it: one file a rank, names in alphabetical order, as the Python
// library of safetensors sorts them, and a header without our padding.
TEST(Trace, TakesOneFileOfEachRankAsPythonWritesIt) {
  ScratchFolder folder;
  Manifest m = sample_manifest(3);
  m.steps = {0, 5};
  m.timeline = {.forward_s = 0.5, .ready_s = {0.25, 0.125}, .optimizer_s = 0.0625};
  for (std::uint64_t step : m.steps)
    for (LearnerId rank : {2u, 0u, 1u}) {
      std::string json =
          R"({"fc.bias":{"dtype":"F32","shape":[1,2],"data_offsets":[0,8]},"fc.weight":{"dtype":"F32","shape":[1,2,3],"data_offsets":[8,32]}})";
      json.resize((json.size() + 7) / 8 * 8, ' ');
      std::uint64_t size = json.size();
      std::string bytes(reinterpret_cast<const char*>(&size), sizeof size);
      bytes += json;
      for (std::uint32_t id : {1u, 0u})
        for (float value : sample_gradient(step, rank, m.layers[id]))
          bytes.append(reinterpret_cast<const char*>(&value), sizeof value);
      std::string name =
          "step-00000" + std::to_string(step) + "-00000" + std::to_string(rank) + ".safetensors";
      write_text_file(folder / name, bytes);
      m.files.push_back({name, step, rank, rank + 1, sha256_hex(bytes)});
    }
  write_text_file(folder / "manifest.json", m.to_json().dump());
  expect_sample(TraceReader(folder.path(), 2));
}

}  // namespace
}  // namespace traincast
