// Recorded timelines: tables of others, the file, and how its tensors find the model's.
#include "workloads/timeline/recorded_timeline.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "base/files.hpp"
#include "tests/support/refusal.hpp"
#include "tests/support/scratch_folder.hpp"
#include "workloads/layer_table.hpp"

namespace traincast {
namespace {

const char* const kNamed =
    "model\tidx\ttensor\tnumel\tready_gap_us\n"
    "small\t0\tfc.bias\t3\t0\nsmall\t1\tfc.weight\t6\t72\nsmall\t2\tin.weight\t6\t8.5\n"
    "other\t0\tw\t1\t4\n";
const char* const kUnnamed =
    "model\tidx\twait_us\tbytes\n"
    "small\t0\t552.5\t12\nsmall\t1\t27.5\t24\nsmall\t2\t20\t24\n";

const std::vector<TensorInfo> kModel{{0, "in.weight", {2, 3}, "linear.weight"},
                                     {1, "fc.weight", {3, 2}, "linear.weight"},
                                     {2, "fc.bias", {3}, "bias"}};

std::vector<RecordedTimeline> read(const std::string& text) {
  ScratchFolder folder;
  write_text_file(folder / "table.tsv", text);
  return read_tensor_traces(folder / "table.tsv");
}

TEST(TensorTraces, AddUpGaps) {
  auto models = read(kNamed);
  ASSERT_EQ(models.size(), 2u);
  EXPECT_EQ(models[0].model, "small");
  EXPECT_EQ(models[0].source, "imported from table.tsv (model idx tensor numel ready_gap_us)");
  EXPECT_DOUBLE_EQ(models[0].tensors[1].ready_s, 72e-6);
  EXPECT_DOUBLE_EQ(models[0].tensors[2].ready_s, 80.5e-6);
  EXPECT_EQ(models[0].tensors[2].name, "in.weight");
  auto unnamed = read(kUnnamed);
  EXPECT_EQ(unnamed[0].tensors[1].numel, 6u);
  EXPECT_DOUBLE_EQ(unnamed[0].tensors[2].ready_s, 600e-6);
}

TEST(TensorTraces, AreRefusedWithTheirLine) {
  auto refused = [](const std::string& text) {
    ScratchFolder folder;
    write_text_file(folder / "t.tsv", text);
    return without(refusal([&] { read_tensor_traces(folder / "t.tsv"); }), folder.path());
  };
  EXPECT_EQ(refused(""), "t.tsv: cannot be read, or is empty");
  EXPECT_EQ(refused("model\tidx\n"),
            "t.tsv:1: unknown columns 'model idx'; known, separated by tabs: 'model idx tensor numel "
            "ready_gap_us', "
            "'model idx wait_us bytes'");
  EXPECT_EQ(refused("model\tidx\twait_us\tbytes\n"), "t.tsv: has no tensors");
  EXPECT_EQ(refused("model\tidx\twait_us\tbytes\na\t0\t1\n"), "t.tsv:2: has 3 cells, and the heads are 4");
  EXPECT_EQ(refused("model\tidx\twait_us\tbytes\na\t0\t-1\t8\n"),
            "t.tsv:2: the gap must be a number, zero or more, got '-1'");
  EXPECT_EQ(refused("model\tidx\twait_us\tbytes\na\t0\tnan\t8\n"),
            "t.tsv:2: the gap must be a number, zero or more, got 'nan'");
  EXPECT_EQ(refused("model\tidx\twait_us\tbytes\na\t0\t1\t7\n"),
            "t.tsv:2: bytes of fp32 gradients must be a multiple of 4, got 7");
  EXPECT_EQ(refused("model\tidx\twait_us\tbytes\na\t0\t1\t8\na\t2\t1\t8\n"), "t.tsv:3: idx must be 1, got 2");
  EXPECT_EQ(refused("model\tidx\twait_us\tbytes\na\t0\t1\t8\nb\t0\t1\t8\na\t1\t1\t8\n"),
            "t.tsv:4: 'a' goes on behind another model");
}

TEST(RecordedTimeline, IsTheSameAfterItsFile) {
  for (const char* table : {kNamed, kUnnamed}) {
    RecordedTimeline timeline = read(table)[0];
    timeline.device = "v100";
    timeline.forward_s = 1e-3;
    timeline.optimizer_s = 2e-4;
    ScratchFolder folder;
    write_text_file(folder / "timeline.json", timeline.to_json().dump());
    EXPECT_EQ(read_recorded_timeline(folder / "timeline.json").to_json().dump(), timeline.to_json().dump());
  }
}

TEST(RecordedTimeline, IsRefusedAtItsPlace) {
  auto refused = [](const std::string& tensors) {
    ScratchFolder folder;
    write_text_file(folder / "t.json",
                    R"({"format": 1, "model": "m", "device": "d", "source": "s", "forward_s": 0,
                                           "optimizer_s": 0, "tensors": )" +
                        tensors + "}");
    return without(refusal([&] { read_recorded_timeline(folder / "t.json"); }), folder.path());
  };
  EXPECT_EQ(refused("[]"), "t.json:/tensors: has no tensors");
  EXPECT_EQ(refused(R"([{"numel": 1, "ready_s": -1}])"),
            "t.json:/tensors/0/ready_s: must be seconds, zero or more, got -1");
  EXPECT_EQ(
      refused(R"([{"numel": 1, "ready_s": 2}, {"numel": 1, "ready_s": 1}])"),
      "t.json:/tensors/1/ready_s: is earlier than that of the tensor before; tensors stand in the order in "
      "which they became ready");
}

TEST(RecordedTimeline, FindsTensorsByNameElseBySizeFromTheLast) {
  ComputeTimeline named = timeline_of(read(kNamed)[0], kModel),
                  unnamed = timeline_of(read(kUnnamed)[0], kModel);
  EXPECT_EQ(named.ready_s, (std::vector<double>{80.5e-6, 72e-6, 0}));
  EXPECT_DOUBLE_EQ(unnamed.ready_s[2], 552.5e-6);
  EXPECT_DOUBLE_EQ(unnamed.ready_s[1], 580e-6);
  EXPECT_DOUBLE_EQ(unnamed.ready_s[0], 600e-6);
}

TEST(RecordedTimeline, OfAnotherModelIsRefused) {
  const std::string begin = "the recorded timeline of 'small' does not fit this model: ";
  RecordedTimeline timeline = read(kUnnamed)[0];
  EXPECT_EQ(refusal([&] { timeline_of(timeline, {kModel[0]}); }),
            begin + "it has 3 tensors, and the model 1");
  timeline.tensors[1].numel = 7;
  EXPECT_EQ(refusal([&] { timeline_of(timeline, kModel); }),
            begin + "tensor 1 of 7 elements: the model has no such tensor left");
  RecordedTimeline named = read(kNamed)[0];
  named.tensors[1].numel = 7;
  EXPECT_EQ(refusal([&] { timeline_of(named, kModel); }),
            begin + "tensor 1 (fc.weight) of 7 elements: the model's has 6");
}

// The published tables themselves, where they are at hand.
TEST(TensorTraces, PublishedOnesFitTheLayerTables) {
  const char* folder = std::getenv("TRAINCAST_TENSOR_TRACES");
  if (!folder)
    GTEST_SKIP() << "TRAINCAST_TENSOR_TRACES names no folder with espresso_tensor_traces.tsv and "
                    "netx_backward_traces.tsv";
  std::size_t fitting = 0;
  for (const char* file : {"espresso_tensor_traces.tsv", "netx_backward_traces.tsv"})
    for (const RecordedTimeline& recorded : read_tensor_traces(std::filesystem::path(folder) / file)) {
      double last = recorded.tensors.back().ready_s;
      EXPECT_GT(last, 0) << recorded.model;
      for (const std::string& name : layer_table_names()) {
        if (name != recorded.model) continue;
        Json text = name;
        LayerTable table = find_layer_table(JsonReader(text, "test"));
        if (recorded.tensors.size() != table.layers.size()) continue;  // VGG-16 with normalisation
        ++fitting;
        ComputeTimeline timeline = timeline_of(recorded, table.layers);
        EXPECT_DOUBLE_EQ(timeline.backward_s(), last) << name;
        EXPECT_LT(timeline.ready_s.back(), 0.1 * last) << name;
      }
    }
  EXPECT_EQ(fitting, 3u);  // ResNet-50 in both, VGG-16 in the first
}

}  // namespace
}  // namespace traincast
