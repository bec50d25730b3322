#include <gtest/gtest.h>

#include <cmath>

#include "tests/support/refusal.hpp"
#include "tests/support/scratch_folder.hpp"
#include "tests/workloads/sample_trace.hpp"

namespace traincast {
namespace {

/// A sound manifest with one value changed (removed where null), and what is said about it.
std::string error_with(const std::string& pointer, const std::string& value) {
  Manifest m = sample_manifest(4);
  m.steps = {3, 5};
  m.timeline = {.forward_s = 1, .ready_s = {1, 2}, .optimizer_s = 1};
  for (std::uint64_t step : m.steps)
    for (LearnerId first : {0u, 2u})
      m.files.push_back({std::to_string(10 * step + first), step, first, first + 2, std::string(64, 'a')});
  Json json = m.to_json();
  Manifest::from_json(JsonReader(json, "manifest.json"));  // sound so far
  set_at_pointer(json, pointer, Json::parse(value, "value"), "test");
  return refusal([&] { Manifest::from_json(JsonReader(json, "manifest.json")); });
}

TEST(Manifest, SurvivesARoundTrip) {
  Manifest m = sample_manifest(2);
  m.workload["name"] = "mlp";
  m.steps = {0};
  m.timeline = {.forward_s = 0.1, .ready_s = {0.2, 0.3}, .optimizer_s = 0.4};
  m.files = {{"f", 0, 0, 2, std::string(64, '0')}};
  Json json = Json::parse(m.to_json().dump(), "m");
  EXPECT_EQ(Manifest::from_json(JsonReader(json, "m")).to_json(), m.to_json());
  EXPECT_EQ(m.parameters(), 8u);
  // Rounded by nobody knows how much.
  json["values"]["type"] = "BF16";
  m = Manifest::from_json(JsonReader(json, "m"));
  EXPECT_EQ(m.values, Stored::bf16);
  EXPECT_TRUE(std::isnan(m.rounding_error));
  EXPECT_FALSE(m.to_json().find("values")->find("relative_error"));
}

TEST(Manifest, RefusesEveryWrongValueAtItsPlace) {
  struct Wrong {
    std::string pointer, value, message;
  };
  const Wrong kWrong[] = {
      {"/format", "2", "/format: must be 1, the only format that this version reads, got 2"},
      {"/format", "\"1\"", "/format: must be a whole number, got \"1\""},
      {"/learner", "4",
       "/learner: unknown key; did you mean 'learners'?; known: format, model, workload, layers, learners, "
       "steps, "
       "forward_s, ready_s, optimizer_s, optimizer, data, seed, versions, device, values, files"},
      {"/values", R"({"type": "F64", "relative_error": 0})",
       "/values/type: must be F32, BF16 or F16, got \"F64\""},
      {"/values", R"({"relative_error": 0})", "/values: key 'type' is missing"},
      {"/values", R"({"type": "BF16", "relative_error": -1})",
       "/values/relative_error: must be at least 0, got -1"},
      {"/values", R"({"type": "F32", "relative_error": 0.5})",
       "/values/relative_error: must be 0 for F32, got 0.5"},
      {"/layers", "[]", "/layers: must not be empty, got []"},
      {"/layers/1/name", "\"fc.weight\"", "/layers/1/name: 'fc.weight' stands twice"},
      {"/layers/0/name", "\"\"", "/layers/0/name: must be a name other than '__metadata__', got \"\""},
      {"/layers/0/shape", "[65536, 65536]",
       "/layers/0/shape: must have fewer than 2^32 elements, got [65536,65536]"},
      {"/layers/0/shape/0", "0", "/layers/0/shape/0: must lie in [1, 4294967295], got 0"},
      {"/layers/0/kinds", "1",
       "/layers/0/kinds: unknown key; did you mean 'kind'?; known: name, shape, kind"},
      {"/learners", "0", "/learners: must lie in [1, 4294967295], got 0"},
      {"/learners", "5", "/files: no file holds step 3 of learners [4, 5)"},
      {"/steps", "[]", "/steps: must not be empty, got []"},
      {"/steps", "[3, 3]", "/steps/1: must be above the step before it, got 3"},
      {"/steps", "[3, 4, 5]", "/files: no file holds step 4 of learners [0, 4)"},
      {"/steps", "[3]", "/files/2/step: must be one of the steps, got 5"},
      {"/forward_s", "-1", "/forward_s: must be a time in seconds, at least 0, got -1"},
      {"/ready_s", "[1]", "/ready_s: must have one time for each of the 2 layers, got 1"},
      {"/optimizer", "\"sgd\"", "/optimizer: must be an object, got \"sgd\""},
      {"/seed", "-1", "/seed: must be at least 0, got -1"},
      {"/files/0/path", "\"../f\"",
       "/files/0/path: must be the name of a file in the trace's folder, got \"../f\""},
      {"/files/0/path", "\"52\"", "/files: '52' stands twice"},
      {"/files/0/learners", "[0]", "/files/0/learners: must be [first, end), with first below end, got [0]"},
      {"/files/0/learners", "[2, 2]",
       "/files/0/learners: must be [first, end), with first below end, got [2,2]"},
      {"/files/0/learners/1", "1", "/files: no file holds step 3 of learners [1, 2)"},
      {"/files/0/learners/1", "3", "/files: '32' holds step 3 of learner 2, which another file holds too"},
      {"/files/0/learners/1", "5", "/files/0/learners/1: must lie in [0, 4], got 5"},
      {"/files/0/sha256", "\"abc\"",
       "/files/0/sha256: must be 64 lower-case hexadecimal digits, got \"abc\""},
  };
  for (const Wrong& wrong : kWrong)
    EXPECT_EQ(error_with(wrong.pointer, wrong.value), "manifest.json:" + wrong.message);
}

TEST(Manifest, RefusesWhatIsMissing) {
  for (std::string key : {"format", "model", "layers", "learners", "steps", "forward_s", "ready_s",
                          "optimizer_s", "optimizer", "data", "seed", "versions", "device", "files"}) {
    Manifest m = sample_manifest(1);
    m.steps = {0};
    m.timeline.ready_s = {1, 2};
    m.files = {{"f", 0, 0, 1, std::string(64, '0')}};
    Json json = m.to_json();
    std::erase_if(json.members(), [&](const auto& member) { return member.first == key; });
    EXPECT_EQ(refusal([&] { Manifest::from_json(JsonReader(json, "m")); }),
              "m: key '" + key + "' is missing");
  }
}

}  // namespace
}  // namespace traincast
