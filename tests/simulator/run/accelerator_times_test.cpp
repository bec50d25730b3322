// Times from an accelerator's description: nothing measured, and each of them from FLOPs, bytes and
// primitives.
#include "simulator/pass/accelerator_times.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "base/files.hpp"
#include "tests/simulator/run/run_helpers.hpp"
#include "tests/support/refusal.hpp"
#include "tests/support/scratch_folder.hpp"
#include "workloads/layer_table.hpp"

namespace traincast {
namespace {

Plan plan_of(const std::string& members) {
  Json document = Json::parse(R"({"name": "test", "learners": 2, "steps": 1, "accelerator": "v100",
    "gradients": {"name": "shapes", "model": "resnet50", "batch": 128},
    "platform": {"name": "star", "bandwidth": "10Gbps"}})",
                              "test");
  Json extra = Json::parse("{" + members + "}", "members");
  for (const auto& [key, value] : extra.members()) document[key] = value;
  return make_plan(std::move(document), "test.json", {});
}

LayerTable table_of(const std::string& name) {
  Json text = name;
  return find_layer_table(JsonReader(text, "test"));
}

ComputeTimeline timeline_of(const std::string& accelerator, const std::string& model, std::uint64_t batch) {
  Plan plan = plan_of("\"accelerator\": " + accelerator);
  LayerTable table = table_of(model);
  return accelerator_compute(*plan.points[0].scenario.accelerator, table.layers, table.costs, batch);
}

double step(const ComputeTimeline& timeline) {
  return timeline.forward_s + timeline.backward_s() + timeline.optimizer_s;
}

// One V100 trained ResNet-50 at 409.451 images a second with mini-batches of 128 (GRACE's published logs, one
// worker without compression): 313 ms a step. Arithmetic alone, 3 · 2 · 4.09 · 10^9 · 128 operations at the
// data sheet's 15.7 TFLOP/s, takes 200 ms.
TEST(AcceleratorTimes, OfResNet50OnAV100AreNearTheMeasuredOnes) {
  double predicted = step(timeline_of("\"v100\"", "resnet50", 128));
  EXPECT_GT(predicted, 0.200);
  EXPECT_NEAR(predicted, 128 / 409.451, 0.25 * 128 / 409.451);
}

// With that row's rate the efficiency is 1.09: cuDNN's Winograd convolutions need fewer multiplications.
TEST(AcceleratorTimes, CanBeFittedToAMeasuredStep) {
  double fitted = step(timeline_of(R"({"name": "v100", "efficiency": 1.085})", "resnet50", 128));
  EXPECT_NEAR(fitted, 128 / 409.451, 0.01 * 128 / 409.451);
}

TEST(AcceleratorTimes, GrowWithTheMiniBatchAndNotItsOptimizer) {
  ComputeTimeline one = timeline_of("\"v100\"", "resnet50", 64),
                  two = timeline_of("\"v100\"", "resnet50", 128);
  // What does not grow: launches, and weights where memory is the bound.
  EXPECT_GT(two.forward_s, 1.9 * one.forward_s);
  EXPECT_LT(two.forward_s, 2 * one.forward_s);
  EXPECT_EQ(two.optimizer_s, one.optimizer_s);
  EXPECT_GT(one.backward_s(), 1.5 * one.forward_s);
  EXPECT_LT(one.backward_s(), 2 * one.forward_s);
}

TEST(AcceleratorTimes, MakeGradientsReadyFromTheLastLayerToTheFirst) {
  for (const std::string& model : layer_table_names()) {
    ComputeTimeline timeline = timeline_of("\"a100\"", model, 8);
    for (std::size_t i = 1; i < timeline.ready_s.size(); ++i)
      EXPECT_LE(timeline.ready_s[i], timeline.ready_s[i - 1]) << model << " " << i;
    EXPECT_EQ(timeline.backward_s(), timeline.ready_s.front());
  }
}

// A layer of 2 × 3 weights, one sample, 1 TFLOP/s, 1 GB/s and no launches: by hand.
TEST(AcceleratorTimes, AddUpByHand) {
  Accelerator a;
  a.flops_per_s = 1e12;
  a.bytes_per_s = 1e9;
  ComputeTimeline timeline = accelerator_compute(
      a, {{0, "w", {2, 3}, "linear.weight"}, {1, "b", {2}, "bias"}}, {{12, 20, 40, 1}, {}}, 10);
  EXPECT_DOUBLE_EQ(timeline.forward_s, (20 * 10 + 4 * 6) / 1e9);
  EXPECT_EQ(timeline.ready_s[1], 0);
  EXPECT_DOUBLE_EQ(timeline.ready_s[0], (40 * 10 + 8 * 6) / 1e9);
  EXPECT_DOUBLE_EQ(timeline.optimizer_s, 8 * 4 * (6 + 2) / 1e9);
}

TEST(AcceleratorTimes, AreTheSameToTheByteInEveryRunAndNamedInTheReport) {
  Plan plan = plan_of(R"("compressor": {"name": "powersgd", "rank": 2})");
  RunResult first = quiet_run(plan), second = quiet_run(plan, 2);
  EXPECT_EQ(to_json(first.report).dump(), to_json(second.report).dump());
  EXPECT_TRUE(first.timings.is_null());
  const Json& times = first.report.traincast.at("times").items().at(0);
  EXPECT_EQ(times.at("source").text(), "accelerator");
  EXPECT_EQ(times.at("accelerator").at("name").text(), "v100");
  EXPECT_EQ(times.at("accelerator").at("memory").text(), "900GBps");
  EXPECT_GT(first.report.points[0].encode_seconds.mean, 0);
}

// The workload of the trace that ships: nine convolutions with normalisation and a linear layer.
TEST(AcceleratorTimes, ServeRecordedGradientsOfAWorkload) {
  Plan plan = plan_on_trace(std::string(TRAINCAST_SOURCE_DIR) + "/simulator/scenarios/convnet-8k",
                            R"("learners": 4, "steps": 2, "timings": "accelerator", "accelerator": "h100",
                               "compressor": {"name": "topk", "density": 0.02})");
  const PointReport p = quiet_run(plan).report.points[0];
  const Accelerator& h100 = *plan.points[0].scenario.accelerator;
  // So small a model takes launches only: three for each layer with weights, three for each tensor's update.
  const double weights = 2 * 9 + 1, tensors = 3 * 9 + 2;
  EXPECT_NEAR(p.compute_seconds.mean, (3 * weights + 3 * tensors) * h100.launch_s, 10e-6);
  EXPECT_GE(p.encode_seconds.mean, 3 * tensors * h100.launch_s);
}

// What was recorded of that run has the same tensors, work and mini-batch.
TEST(AcceleratorTimes, ServeARecordedExchangeOfAWorkload) {
  const std::string trace = std::string(TRAINCAST_SOURCE_DIR) + "/simulator/scenarios/convnet-8k";
  const std::string rest = R"("learners": 4, "steps": 2, "timings": "accelerator", "accelerator": "h100",
                              "compressor": {"name": "topk", "density": 0.02})";
  ScratchFolder folder;
  RunOptions options;
  options.quiet = true;
  options.record = folder.path();
  Plan of_trace = plan_on_trace(trace, rest);
  const PointReport expected = run(of_trace, options).report.points[0];
  std::string file;
  for (const auto& entry : std::filesystem::directory_iterator(options.record))
    if (entry.path().filename().string().starts_with("topk")) file = entry.path();
  const PointReport point =
      quiet_run(
          plan_on_trace(trace, rest + R"(, "gradients": {"name": "exchange", "path": ")" + file + "\"}"))
          .report.points[0];
  EXPECT_EQ(point.compute_seconds.mean, expected.compute_seconds.mean);
  EXPECT_EQ(point.encode_seconds.mean, expected.encode_seconds.mean);
  EXPECT_EQ(point.step_seconds.mean, expected.step_seconds.mean);
}

// How many entries pass a threshold is known on the device first; of top-k's the host knows it beforehand.
// One bucket, one collective.
TEST(AcceleratorTimes, HaveTheHostWaitForSizesThatDependOnValues) {
  auto encoding = [&](const std::string& method, const std::string& synchronisation) {
    return quiet_run(plan_on_trace(std::string(TRAINCAST_SOURCE_DIR) + "/simulator/scenarios/convnet-8k",
                                   R"("learners": 2, "steps": 1, "timings": "accelerator", "buckets": "model",
                                      "accelerator": {"name": "h100", "synchronisation": ")" +
                                       synchronisation + R"("}, "compressor": )" + method))
        .report.points[0]
        .encode_seconds.mean;
  };
  const std::string threshold = R"({"name": "threshold", "threshold": 0.01})",
                    topk = R"({"name": "topk", "density": 0.02})";
  EXPECT_NEAR(encoding(threshold, "1ms") - encoding(threshold, "0s"), 1e-3, 1e-12);
  EXPECT_EQ(encoding(topk, "1ms"), encoding(topk, "0s"));
}

// Ok-Topk selects exactly in the first step of a period only; in the next it scans with the threshold found.
TEST(AcceleratorTimes, AreThoseOfEachStepsOwnWork) {
  auto encoding = [&](int steps) {
    return quiet_run(plan_on_trace(std::string(TRAINCAST_SOURCE_DIR) + "/simulator/scenarios/convnet-8k",
                                   R"("learners": 2, "timings": "accelerator", "accelerator": "h100",
                                      "compressor": {"name": "oktopk", "density": 0.02, "threshold_period": 2},
                                      "steps": )" +
                                       std::to_string(steps)))
        .report.points[0]
        .encode_seconds;
  };
  const auto exact = encoding(1), both = encoding(2);
  EXPECT_GT(both.deviation, 1e-5);
  EXPECT_NEAR(both.deviation, std::abs(exact.mean - both.mean), 1e-12);  // of two values: half their distance
}

// A scenario that was written for live gradients takes a trace of the same workload, and no other.
TEST(AcceleratorTimes, StandBesideATraceWhoseWorkloadTheScenarioNames) {
  const std::string trace = std::string(TRAINCAST_SOURCE_DIR) + "/simulator/scenarios/convnet-8k";
  const std::string rest = R"("learners": 2, "steps": 1, "timings": "accelerator", "accelerator": "h100",
                              "workload": )";
  const std::string workload = TraceReader(trace, 1).manifest().workload.dump(-1);
  EXPECT_EQ(quiet_run(plan_on_trace(trace, rest + workload)).report.points.size(), 1u);
  EXPECT_NE(refusal([&] { quiet_run(plan_on_trace(trace, rest + R"("mlp")")); }).find("was recorded of"),
            std::string::npos);
}

TEST(AcceleratorTimes, AreRefusedWhereTheModelIsNotKnown) {
  std::string trace = write_small_trace("accelerator_test", 2, 1);
  EXPECT_EQ(
      refusal([&] {
        quiet_run(plan_on_trace(
            trace, R"("learners": 2, "steps": 1, "timings": "accelerator", "accelerator": "h100")"));
      }),
      "test.json:/accelerator: an accelerator needs the FLOPs of each layer and the mini-batch, and those of "
      "'small' are not known; give times, or take the shapes of a model");
}

TEST(AcceleratorTimes, AreRefusedBesideAnotherSource) {
  EXPECT_EQ(refusal([] { plan_of(R"("timings": {"name": "given", "forward": "1ms", "backward": "1ms"})"); }),
            "test.json:/timings: compute and codec times come from one source: these, or 'accelerator'; "
            "leave one of "
            "the two out");
  EXPECT_EQ(refusal([] { plan_of(R"("timings": "accelerator", "accelerator": null)"); }),
            "test.json:/timings: there is no accelerator; name one, as in \"accelerator\": \"v100\"; known: "
            "v100, a100, "
            "h100, h200, rtx4090, titan_x, cpu, file");
  EXPECT_EQ(
      refusal([] { plan_of(R"("gradients": {"name": "shapes", "shape": [1000]})"); }),
      "test.json:/gradients: an accelerator needs the FLOPs of each layer: name a model, as in {\"name\": "
      "\"shapes\", \"model\": \"resnet50\", \"batch\": 128}, or give times");
  EXPECT_EQ(refusal([] {
              RunOptions options;
              options.timings_file = "timings.json";
              run(plan_of(""), options);
            }),
            "test.json:/timings: nothing is measured, so that no file can replace it; leave out --timings");
}

// A model of two tensors, whose backward somebody timed on a V100.
class RecordedTimes : public ::testing::Test {
 protected:
  RecordedTimes() {
    write_text_file(folder / "model.json",
                    R"({"format": 1, "name": "two", "sample": "a row", "source": "test",
      "parameters": 6000000, "layers": [
        {"name": "a", "shape": [2000, 1000], "kind": "linear.weight", "flops": 4e6, "bytes": 12000, "backward_bytes": 24000},
        {"name": "b", "shape": [4000, 1000], "kind": "linear.weight", "flops": 8e6, "bytes": 20000, "backward_bytes": 40000}]})");
    write_text_file(folder / "timeline.json",
                    R"({"format": 1, "model": "two", "device": "v100", "source": "test",
      "forward_s": 0.01, "optimizer_s": 0.001, "tensors": [{"numel": 4000000, "ready_s": 0.005},
                                                           {"numel": 2000000, "ready_s": 0.02}]})");
  }
  Plan plan(const std::string& members) {
    Json document = Json::parse(R"({"name": "test", "learners": 2, "steps": 1, "buckets": "tensor",
      "gradients": {"name": "shapes", "model": "model.json"}, "timings": {"name": "recorded", "path": "timeline.json"},
      "platform": {"name": "star", "bandwidth": "10Gbps"}})",
                                "test");
    Json extra = Json::parse("{" + members + "}", "members");
    for (const auto& [key, value] : extra.members()) document[key] = value;
    return make_plan(std::move(document), folder / "s.json", {});
  }
  std::string refused(const std::string& members) {
    return without(refusal([&] { quiet_run(plan(members)); }), folder.path());
  }
  ScratchFolder folder;
};

// The second tensor's 16 MB travel from 5 ms on, and are there before backward ends at 20 ms: 2 · (2 MB · 4
// at 10 Gb/s); the first's 8 MB are left, 6.4 ms.
TEST_F(RecordedTimes, SayWhenEachGradientIsReady) {
  PointReport p = quiet_run(plan("")).report.points[0];
  EXPECT_DOUBLE_EQ(p.compute_seconds.mean, 0.031);
  EXPECT_NEAR(p.step_seconds.mean, 0.031 + 8e6 / 1.25e9, 1e-4);
}

TEST_F(RecordedTimes, TakeCodecsFromTheAcceleratorThatTheyWereRecordedOn) {
  Plan described = plan(R"("accelerator": "v100", "compressor": {"name": "powersgd", "rank": 1})");
  RunResult result = quiet_run(described);
  EXPECT_DOUBLE_EQ(result.report.points[0].compute_seconds.mean, 0.031);
  EXPECT_GT(result.report.points[0].encode_seconds.mean, 0);
  const Json& times = result.report.traincast.at("times").items().at(0);
  EXPECT_EQ(times.at("source").text(), "recorded");
  EXPECT_EQ(times.at("path").text(), "timeline.json");
  EXPECT_EQ(refused(R"("accelerator": "a100")"),
            "s.json:/timings: the timeline was recorded on 'v100', and codecs would run on 'a100'; compute "
            "and codec "
            "times come from one source");
}

TEST_F(RecordedTimes, NeedCodecTimesAndTheSameModel) {
  EXPECT_EQ(refused(R"("compressor": {"name": "powersgd", "rank": 1})"),
            "s.json:/timings/encode: no duration for 'powersgd'; compute and codec times come from one "
            "source, so give "
            "both");
  EXPECT_EQ(refused(R"("gradients": {"name": "shapes", "model": "resnet50"})"),
            "s.json:/timings/path: the recorded timeline of 'two' does not fit this model: it has 2 tensors, "
            "and the "
            "model 161");
}

TEST(AcceleratorTimes, NeedOneOfShapeAndModel) {
  const std::string both =
      "test.json:/gradients: needs one of 'shape', as in [25000000], and 'model', as in \"resnet50\"";
  EXPECT_EQ(refusal([] { plan_of(R"("gradients": {"name": "shapes", "shape": [9], "model": "vgg16"})"); }),
            both);
  EXPECT_EQ(refusal([] { plan_of(R"("gradients": {"name": "shapes"})"); }), both);
}

}  // namespace
}  // namespace traincast
