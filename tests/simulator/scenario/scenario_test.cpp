// The scenario language: what it accepts, how a sweep unfolds, and the whole message of every refusal.
#include "simulator/scenario/scenario.hpp"

#include <gtest/gtest.h>

#include "simulator/scenario/options.hpp"
#include "simulator/scenario/trial_run.hpp"
#include "tests/support/refusal.hpp"

namespace traincast {
namespace {

Plan plan_of(const std::string& text, std::vector<std::string> sets = {}) {
  return make_plan(Json::parse(text, "s.json"), "s.json", sets);
}

// The smallest scenario, with members added or replaced.
std::string scenario(const std::string& members) {
  Json base = Json::parse(
      R"({"name": "x", "learners": 4, "platform": {"name": "star", "bandwidth": "10Gbps"}})", "base");
  Json extra = Json::parse("{" + members + "}", "extra");
  for (const auto& [key, value] : extra.members()) base[key] = value;
  return base.dump();
}

TEST(Scenario, FillsInEveryDefaultAndReadsItsOwnEcho) {
  Plan plan = plan_of(scenario(""));
  ASSERT_EQ(plan.points.size(), 1u);
  EXPECT_EQ(plan.points[0].coordinates.dump(-1), "{}");
  for (const KeyInfo& key : scenario_keys())
    EXPECT_EQ(plan.resolved.find(key.key) != nullptr, key.key != "sweep") << key.key;
  Plan again = plan_of(plan.resolved.dump());
  EXPECT_EQ(again.resolved.dump(), plan.resolved.dump());
}

TEST(Scenario, EchoesASweepThatUnfoldsToTheSamePoints) {
  Plan plan = plan_of(scenario(R"("sweep": {"/learners": [2, 4], "/overlap": [true, false]})"));
  Plan again = plan_of(plan.resolved.dump());
  ASSERT_EQ(again.points.size(), 4u);
  for (std::size_t i = 0; i < 4; ++i)
    EXPECT_EQ(again.points[i].scenario.resolved.dump(), plan.points[i].scenario.resolved.dump());
}

TEST(Sweep, RunsThroughThePointsInFileOrderFirstAxisOutermost) {
  Plan plan =
      plan_of(scenario(R"("sweep": {"/platform/bandwidth": ["1Gbps", "2Gbps"], "/learners": [8, 2]})"));
  std::vector<std::string> seen;
  for (const Point& point : plan.points) seen.push_back(point.coordinates.dump(-1));
  EXPECT_EQ(seen, (std::vector<std::string>{R"({"/platform/bandwidth":"1Gbps","/learners":8})",
                                            R"({"/platform/bandwidth":"1Gbps","/learners":2})",
                                            R"({"/platform/bandwidth":"2Gbps","/learners":8})",
                                            R"({"/platform/bandwidth":"2Gbps","/learners":2})"}));
  EXPECT_EQ(plan.points[2].scenario.platform.parameters.number("bandwidth"), 0.25e9);
}

constexpr const char* kVariants = R"("steps": 3, "sweep": {
    "/platform/bandwidth": ["1Gbps", "2Gbps"],
    "method": {"plain": {}, "sparse, no memory": {"/compressor": {"name": "topk", "density": 0.5},
                                                  "/error_feedback/error": "none", "/steps": 5}}})";

TEST(Sweep, VariantsSetSeveralPlacesAtOnceAndOthersKeepWhatTheFileSays) {
  Plan plan = plan_of(scenario(kVariants));
  ASSERT_EQ(plan.points.size(), 4u);
  EXPECT_EQ(plan.points[3].coordinates.dump(-1),
            R"({"/platform/bandwidth":"2Gbps","method":"sparse, no memory"})");
  const Scenario &plain = plan.points[2].scenario, &sparse = plan.points[3].scenario;
  EXPECT_EQ(plain.compressor.entry->name, "none");
  EXPECT_EQ(plain.steps, 3u);
  EXPECT_EQ(sparse.compressor.entry->name, "topk");
  EXPECT_EQ(sparse.steps, 5u);
  EXPECT_EQ(sparse.resolved.at("error_feedback").at("error"), Json("none"));
  EXPECT_EQ(sparse.platform.parameters.number("bandwidth"), 0.25e9);
  EXPECT_EQ(plan.points[3].method_axes, std::vector<std::string>{"method"});
}

TEST(Sweep, OfVariantsIsEchoedSoThatNoneTakesOverWhatAnotherSets) {
  for (const char* first : {"plain", "sparse, no memory"}) {
    Json document = Json::parse(scenario(kVariants), "test");
    Json& variants = document["sweep"]["method"];
    if (variants.members().front().first != first) std::swap(variants.members()[0], variants.members()[1]);
    Plan plan = plan_of(document.dump());
    Plan again = plan_of(plan.resolved.dump());
    ASSERT_EQ(again.points.size(), 4u);
    for (std::size_t i = 0; i < 4; ++i)
      EXPECT_EQ(again.points[i].scenario.resolved.dump(), plan.points[i].scenario.resolved.dump());
    EXPECT_EQ(again.resolved.dump(), plan.resolved.dump());
  }
}

TEST(Set, ReplacesValuesAsJsonOrElseAsText) {
  Plan plan = plan_of(scenario(""), {"/learners=16", "/platform/bandwidth=25Gbps", "/overlap=false"});
  EXPECT_EQ(plan.points[0].scenario.learners, 16u);
  EXPECT_EQ(plan.points[0].scenario.platform.parameters.number("bandwidth"), 25e9 / 8);
  EXPECT_FALSE(plan.points[0].scenario.overlap);
}

TEST(Set, MayChangeAnAxis) {
  Plan plan = plan_of(scenario(R"("sweep": {"/learners": [2, 4]})"), {"/sweep/~1learners=[8]"});
  ASSERT_EQ(plan.points.size(), 1u);
  EXPECT_EQ(plan.points[0].scenario.learners, 8u);
}

struct Refusal {
  const char* name;
  std::string text;
  std::string message;
  std::vector<std::string> sets = {};
};

void PrintTo(const Refusal& refusal, std::ostream* stream) { *stream << refusal.name; }

class ScenarioRefusal : public testing::TestWithParam<Refusal> {};

TEST_P(ScenarioRefusal, SaysWhereWhatAndWhatIsAllowed) {
  EXPECT_EQ(refusal([] { plan_of(GetParam().text, GetParam().sets); }), GetParam().message);
}

std::string names_of(const std::vector<EntryInfo>& entries) {
  std::string all;
  for (const EntryInfo& entry : entries) all += (all.empty() ? "" : ", ") + entry.name;
  return all;
}

const std::string kCompressors = names_of(compressor_catalog().describe());
const std::string kTopologies = names_of(topology_catalog().describe());
const std::string kKeys =
    "name, learners, steps, seed, gradients, workload, accelerator, timings, compressor, error_feedback, "
    "buckets, "
    "overlap, collective, "
    "stack, platform, speeds, engine, training, sweep";

INSTANTIATE_TEST_SUITE_P(
    EveryRule, ScenarioRefusal,
    testing::Values(
        Refusal{"NotAnObject", "[]", "s.json: must be an object, got []"},
        Refusal{"MissingName", R"({"learners": 4})",
                "s.json: key 'name' is missing (text: what the report calls this study; letters, digits, "
                "'-', '_' and '.')"},
        Refusal{"BadName", scenario(R"("name": "a/b")"),
                "s.json:/name: must be made of letters, digits, '-', '_' and '.', got \"a/b\""},
        Refusal{"UnknownKey", scenario(R"("comprssor": "none")"),
                "s.json:/comprssor: unknown key; did you mean 'compressor'?; known: " + kKeys},
        Refusal{"NoLearners", scenario(R"("learners": 0)"),
                "s.json:/learners: must lie in [1, 65536], got 0"},
        Refusal{"HalfALearner", scenario(R"("learners": 1.5)"),
                "s.json:/learners: must be a whole number, got 1.5"},
        Refusal{"NegativeSeed", scenario(R"("seed": -1)"),
                "s.json:/seed: must lie in [0, 9223372036854775807], got -1"},
        Refusal{"NoSteps", scenario(R"("steps": 0)"), "s.json:/steps: must lie in [1, 1000000], got 0"},
        Refusal{"UnknownCompressor", scenario(R"("compressor": {"name": "topkk", "density": 0.1})"),
                "s.json:/compressor/name: unknown compressor 'topkk'; did you mean 'topk'?; known: " +
                    kCompressors},
        Refusal{"DensityTooLarge", scenario(R"("compressor": {"name": "topk", "density": 1.5})"),
                "s.json:/compressor/density: must lie in (0, 1], got 1.5"},
        Refusal{"DensityMissing", scenario(R"("compressor": "topk")"),
                "s.json:/compressor: key 'density' is missing (number in (0, 1]: share of the entries "
                "that each "
                "learner sends)"},
        Refusal{
            "PackedIndicesOfExactSelection",
            scenario(
                R"("compressor": {"name": "scalecom", "rate": 10, "selection": "exact", "index": "packed"})"),
            "s.json:/compressor: 'index' is \"packed\", which needs one entry per chunk, but 'selection' is "
            "\"exact\"; "
            "allowed with it: int32, int64, bitmap, elias"},
        Refusal{"PlannedCompressor", scenario(R"("compressor": {"name": "sasg"})"),
                "s.json:/compressor/name: compressor 'sasg' is not in this version: it is a way of training, "
                "which a scenario names under \"training\"; known: " +
                    kCompressors},
        Refusal{
            "SumThatCanOverflow",
            scenario(R"("compressor": {"name": "qsgd_maxnorm", "bits": 7, "element": "int8"})"),
            "s.json:/compressor: a sum of 4 levels of up to 127 can reach 508, but its integers hold 127; "
            "the most learners that fit: 1"},
        Refusal{
            "MemoryAroundAMethodThatHasOne",
            scenario(
                R"("compressor": {"name": "dgc", "density": 0.1}, "error_feedback": {"error": "local"})"),
            "s.json:/error_feedback/error: 'dgc' has a memory of its own, around which there can be none; "
            "allowed: auto, none"},
        Refusal{"WholeModelInBuckets",
                scenario(R"("compressor": {"name": "topk", "density": 0.1, "scope": "model"})"),
                "s.json:/buckets: 'topk' sees the whole model at once here, which needs \"model\""},
        Refusal{"TransportThatTheMethodLacks",
                scenario(R"("compressor": {"name": "topk", "density": 0.1, "transport": "ring"})"),
                "s.json:/compressor/transport: unknown word 'ring'; known: all_gather, sparse_all_reduce"},
        Refusal{"ErrorFeedbackWord", scenario(R"("error_feedback": {"error": "locl"})"),
                "s.json:/error_feedback/error: unknown word 'locl'; did you mean 'local'?; known: auto, "
                "none, local, global"},
        Refusal{
            "TransportOfAMethodWithoutAChoice",
            scenario(R"("compressor": {"name": "scalecom", "rate": 4, "transport": "all_gather"})"),
            "s.json:/compressor/transport: 'scalecom' has no choice: what it sends is carried by all_reduce, "
            "broadcast"},
        Refusal{"FilterOfNoMemory",
                scenario(R"("compressor": {"name": "qsgd"}, "error_feedback": {"beta": 0.5})"),
                "s.json:/error_feedback/beta: 'qsgd' has no error memory here; 'error' gives it one: local, "
                "global"},
        Refusal{
            "MomentumBeforeMomentum",
            scenario(R"("compressor": {"name": "dgc", "density": 0.1}, "error_feedback": {"momentum": 0.9})"),
            "s.json:/error_feedback/momentum: 'dgc' has a memory of its own, before which there can be no "
            "momentum"},
        Refusal{"MomentumBeforeClipping",
                scenario(R"("compressor": {"name": "lsg", "rank": 1}, "error_feedback": {"momentum": 0.9})"),
                "s.json:/error_feedback/momentum: 'lsg' clips by the norms of gradients, not of momenta; "
                "\"momentum_place\": \"after\" has it behind the method"},
        Refusal{"KindOfNoMomentum", scenario(R"("error_feedback": {"momentum_kind": "nesterov"})"),
                "s.json:/error_feedback/momentum_kind: goes with a 'momentum' above 0"},
        Refusal{
            "MistakeWithinAPolicy",
            scenario(
                R"("compressor": {"name": "per_layer", "rules": [{"compressor": {"name": "eden", "block": 5}}]})"),
            "s.json:/compressor/rules/0/compressor: 'block' is 5, which is no power of two; the next are 4 "
            "and 8"},
        Refusal{"BucketsWithoutUnit", scenario(R"("buckets": "25")"),
                "s.json:/buckets: must be a size with its unit, as in \"25MiB\", or one of tensor, model, "
                "got \"25\""},
        Refusal{"OverlapAsText", scenario(R"("overlap": "yes")"),
                "s.json:/overlap: must be true or false, got \"yes\""},
        Refusal{"UnknownCollectiveWord", scenario(R"("collective": {"all_redcue": "ring"})"),
                "s.json:/collective/all_redcue: unknown key; did you mean 'all_reduce'?; known: all_reduce, "
                "all_gather, broadcast, reduce_scatter, all_to_all, sparse_all_reduce, push_pull, rounds"},
        Refusal{"WordThatNoMethodSends", scenario(R"("collective": {"neighbours": "ring"})"),
                "s.json:/collective/neighbours: no method of this version sends it; known: all_reduce, "
                "all_gather, broadcast, reduce_scatter, all_to_all, sparse_all_reduce, push_pull, rounds"},
        Refusal{
            "UnknownTopology", scenario(R"("platform": {"name": "stra", "bandwidth": "1Gbps"})"),
            "s.json:/platform/name: unknown topology 'stra'; did you mean 'star'?; known: " + kTopologies},
        Refusal{"BareBandwidth", scenario(R"("platform": {"name": "star", "bandwidth": 10})"),
                "s.json:/platform/bandwidth: must be a bandwidth with its unit, as in \"10Gbps\", got 10"},
        Refusal{
            "AlgorithmThatTheStackDoesNotRun",
            scenario(R"("stack": "nccl", "collective": {"all_reduce": "halving_doubling"})"),
            "s.json:/collective/all_reduce: the stack 'nccl' does not run 'halving_doubling'; it runs ring, "
            "multi_ring, double_binary_tree"},
        Refusal{"MethodThatTheStackDoesNotCarry",
                scenario(R"("stack": "byteps", "compressor": {"name": "topk", "density": 0.1})"),
                "s.json:/stack: 'byteps' does not carry all_gather, which 'topk' sends; 'ideal' carries "
                "everything"},
        Refusal{
            "SumsThatTheStackCarriesOtherwise",
            scenario(R"("stack": "byteps", "collective": {"all_reduce": "ring"})"),
            "s.json:/collective/all_reduce: the stack 'byteps' does not run 'ring'; it carries all_reduce as "
            "push_pull: choose there"},
        Refusal{"WordThatTheStackDoesNotCarry",
                scenario(R"("stack": "byteps", "collective": {"all_gather": "ring"})"),
                "s.json:/collective/all_gather: the stack 'byteps' does not run 'ring'; it does not carry "
                "all_gather"},
        Refusal{"StackCostWithoutUnit", scenario(R"("stack": {"name": "nccl", "launch": 5})"),
                "s.json:/stack/launch: must be a duration with its unit, as in \"5us\", got 5"},
        Refusal{
            "LaterEngine", scenario(R"("engine": "repeated_round")"),
            "s.json:/engine: engine 'repeated_round' is not in this version: 'max_plus' computes every "
            "round where no link is shared, in about a second for the 537 million transfers of a ring of "
            "16,384; where links are shared, equal messages need not end together, and 'flow' follows each; "
            "known: auto, simgrid, flow, max_plus"},
        Refusal{
            "TrainingOnATrace",
            scenario(
                R"("gradients": {"name": "trace", "path": "t"}, "accelerator": "v100", "training": "sync_sgd")"),
            "s.json:/gradients: 'sync_sgd' needs training with the method in the loop, and 'trace' has no "
            "gradients but those that were there before: take \"live\", or leave out 'training'"},
        Refusal{
            "TrainingWithTimesOfThisMachine", scenario(R"("training": "sync_sgd")"),
            "s.json:/timings: a step's duration in training comes from an accelerator's description, or is "
            "given, so that the curve is the same wherever it was computed; name one, as in "
            "\"accelerator\": \"v100\""},
        Refusal{
            "StepsBesideEpochs",
            scenario(R"("steps": 7, "accelerator": "v100", "training": {"name": "sync_sgd", "epochs": 2})"),
            "s.json:/steps: the epochs of 'training' make 128 steps; leave one of the two out"},
        Refusal{
            "TargetOfMoreThanAll",
            scenario(
                R"("accelerator": "v100", "training": {"name": "sync_sgd", "targets": [{"accuracy": 70}]})"),
            "s.json:/training/targets/0/accuracy: must lie in (0, 1], got 70"},
        Refusal{
            "NormTestOfOneLearner",
            scenario(R"("learners": 1, "accelerator": "v100", "training": {"name": "sync_sgd", "noise": 1})"),
            "s.json:/training/noise: the norm test compares the gradients of two learners or more, and "
            "there is 1"},
        Refusal{"LargestBatchThatNothingReaches",
                scenario(R"("accelerator": "v100", "training": {"name": "local_sgd", "largest_batch": 64})"),
                "s.json:/training/largest_batch: goes with 'noise', without which mini-batches stay as they "
                "are"},
        Refusal{"LargestBatchBelowTheFirst", scenario(R"("accelerator": "v100",
                            "training": {"name": "local_sgd", "noise": 1, "largest_batch": 3})"),
                "s.json:/training/largest_batch: must be no smaller than the workload's batch, 8, got 3"},
        Refusal{"LargestBatchBeyondWhatALearnerHas", scenario(R"("accelerator": "v100",
                            "training": {"name": "local_sgd", "noise": 1, "largest_batch": 100000})"),
                "s.json:/training/largest_batch: must be no larger than the workload's samples_per_learner, "
                "512, got "
                "100000"},
        Refusal{"SpeedOfNothing",
                scenario(R"("speeds": {"name": "given", "groups": [{"learners": 1, "speed": 0}]})"),
                "s.json:/speeds/groups/0/speed: must lie in [0.001, 1000], got 0"},
        Refusal{"GroupOfNobody",
                scenario(R"("speeds": {"name": "given", "groups": [{"learners": 0, "speed": 1}]})"),
                "s.json:/speeds/groups/0/learners: must lie in [1, 65536], got 0"},
        Refusal{"UnknownSpeeds", scenario(R"("speeds": "uniformly")"),
                "s.json:/speeds: unknown distribution of speeds 'uniformly'; did you mean 'uniform'?; known: "
                "equal, given, uniform, lognormal"},
        Refusal{"SeedTwice",
                scenario(R"("accelerator": "v100", "training": {"name": "sync_sgd", "seeds": [3, 3]})"),
                "s.json:/training/seeds: has 3 twice"},
        Refusal{
            "UnknownAccelerator", scenario(R"("accelerator": "v10")"),
            "s.json:/accelerator: unknown accelerator 'v10'; did you mean 'v100'?; known: v100, a100, h100, "
            "h200, rtx4090, titan_x, cpu, file"},
        Refusal{
            "UnknownModel",
            scenario(
                R"("steps": 1, "accelerator": "v100", "gradients": {"name": "shapes", "model": "resnet"})"),
            "s.json:/gradients/model: unknown model 'resnet'; did you mean 'resnet20'?; known: mlp, convnet, "
            "resnet20, resnet18_cifar, resnet18, resnet50, resnet101, vgg16, vgg19, mobilenetv2, unet, "
            "lstm_words, lstm_characters, lstm_speech, gru_classifier, gpt, bert, transformer, ncf, "
            "bert_base, "
            "lstm_wikitext2, resnet50_tensorflow, or the file of a layer table, *.json"},
        Refusal{"NoAccelerator", scenario(R"("accelerator": 3)"),
                "s.json:/accelerator: must be the name of an accelerator or an object with it, got 3"},
        Refusal{"BareErrorFeedback", scenario(R"("error_feedback": "global")"),
                "s.json:/error_feedback: must be an object, got \"global\""},
        Refusal{"EndlessBuckets", scenario(R"("buckets": "1e30GiB")"),
                "s.json:/buckets: must lie in [1B, 1000TB], got \"1e30GiB\""},
        Refusal{"AlgorithmForOtherNumbersOfLearners",
                scenario(R"("learners": 7, "collective": {"all_gather": "recursive_doubling"})"),
                "s.json:/collective/all_gather: 'recursive_doubling' needs a number of ranks that is a power "
                "of two, got 7; "
                "'auto' takes one that can"},
        Refusal{"GivenTimesWithoutTheSweptMethod",
                scenario(R"("timings": {"name": "given", "forward": "1ms", "backward": "1ms"},
                            "sweep": {"/compressor": ["none", {"name": "powersgd", "rank": 1}]})"),
                "s.json:/timings/encode: no duration for 'powersgd'; compute and codec times come from one "
                "source, so give "
                "both (at /compressor = {\"name\":\"powersgd\",\"rank\":1})"},
        Refusal{"ExchangeWithoutFile", scenario(R"("gradients": "exchange")"),
                "s.json:/gradients: key 'path' is missing (path: file that 'traincast run --record' wrote, "
                "relative to the scenario file)"},
        Refusal{"ShapesOfManySteps", scenario(R"("steps": 2, "gradients": {"name": "shapes", "shape": [4]})"),
                "s.json:/steps: every step of a shape is the same, so there is 1, got 2"},
        Refusal{
            "ShapesForMessagesThatDependOnValues",
            scenario(
                R"("steps": 1, "accelerator": "v100", "gradients": {"name": "shapes", "model": "resnet50"}, "compressor": {"name": "threshold", "threshold": 0.1})"),
            "s.json:/compressor: the sizes of this method's messages depend on values; it needs live "
            "gradients "
            "or a trace"},
        Refusal{
            "ShapesForMessagesThatAlternate",
            scenario(
                R"("steps": 1, "accelerator": "v100", "gradients": {"name": "shapes", "model": "resnet50"}, "compressor": {"name": "acpsgd"})"),
            "s.json:/compressor: the sizes of this method's messages differ from step to step or from "
            "learner "
            "to learner; it needs live gradients or a trace"},
        Refusal{"ShapesWithoutTimes",
                scenario(R"("steps": 1, "gradients": {"name": "shapes", "shape": [4]})"),
                "s.json:/timings: without gradients there is nothing that could be timed; name an "
                "accelerator, or "
                "give times, as in {\"name\": \"given\", \"forward\": \"5ms\", \"backward\": \"10ms\"}"},
        Refusal{"StreamedGradientsTimed", scenario(R"("gradients": "streamed")"),
                "s.json:/timings: gradients that are kept nowhere leave nothing to time codecs on; take live "
                "ones, name an accelerator, or give times, as in {\"name\": \"given\", \"forward\": \"5ms\", "
                "\"backward\": \"10ms\"}"},
        Refusal{"SyntheticGradientsTimed", scenario(R"("gradients": {"name": "synthetic", "shape": [4]})"),
                "s.json:/timings: values that are drawn are no training that could be timed; name an "
                "accelerator, or give times, as in {\"name\": \"given\", \"forward\": \"5ms\", \"backward\": "
                "\"10ms\"}"},
        Refusal{"SyntheticGradientsOfNothing", scenario(R"("accelerator": "v100", "gradients": "synthetic")"),
                "s.json:/gradients: needs one of 'shape', as in [25000000], and 'model', as in \"resnet50\""},
        Refusal{"WorkloadOfShapes",
                scenario(R"("steps": 1, "gradients": {"name": "shapes", "shape": [4]}, "workload": "mlp")"),
                "s.json:/workload: goes with gradients that are trained, now or for a trace; these are not"},
        Refusal{"BatchLargerThanTheShard",
                scenario(R"("workload": {"name": "mlp", "batch": 9, "samples_per_learner": 8})"),
                "s.json:/workload: batch must not exceed samples_per_learner, got 9 and 8"},
        Refusal{
            "TimesOfAnUnknownMethod",
            scenario(
                R"("timings": {"name": "given", "forward": "1ms", "backward": "1ms", "encode": {"topkk": "1ms"}})"),
            "s.json:/timings/encode/topkk: unknown compressor 'topkk'; did you mean 'topk'?; known: " +
                kCompressors},
        Refusal{"SweepOfAnUnknownKey", scenario(R"("sweep": {"/learner": [1]})"),
                "s.json:/sweep/~1learner: cannot be swept; did you mean 'learners'?; known: learners, steps, "
                "seed, gradients, "
                "workload, accelerator, timings, compressor, error_feedback, buckets, overlap, collective, "
                "stack, "
                "platform, speeds, engine, training"},
        Refusal{"SweepOfNothing", scenario(R"("sweep": {"/learners": []})"),
                "s.json:/sweep/~1learners: has no values"},
        Refusal{"SweepOfNoList", scenario(R"("sweep": {"/learners": 4})"),
                "s.json:/sweep/~1learners: must be a list, got 4"},
        Refusal{"SweepTwice",
                scenario(R"("sweep": {"/platform": ["star"], "/platform/bandwidth": ["1Gbps"]})"),
                "s.json:/sweep/~1platform~1bandwidth: overlaps with the axis '/platform'"},
        Refusal{"VariantsOfNothing", scenario(R"("sweep": {"method": {}})"),
                "s.json:/sweep/method: has no values"},
        Refusal{"VariantThatIsNoObject", scenario(R"("sweep": {"method": {"a": "topk"}})"),
                "s.json:/sweep/method/a: must be an object, got \"topk\""},
        Refusal{"VariantOfAPlaceThatIsSwept",
                scenario(R"("sweep": {"/platform": ["star"], "method": {"a": {"/platform/bandwidth": 1}}})"),
                "s.json:/sweep/method/a/~1platform~1bandwidth: overlaps with the axis '/platform'"},
        Refusal{
            "VariantThatSetsAPlaceTwice",
            scenario(R"("sweep": {"method": {"a": {"/compressor": "none", "/compressor/name": "topk"}}})"),
            "s.json:/sweep/method/a/~1compressor~1name: overlaps with '/compressor'"},
        Refusal{"SweepOfAPlaceThatVariantsSet",
                scenario(R"("sweep": {"method": {"a": {"/overlap": true}}, "/overlap": [true]})"),
                "s.json:/sweep/~1overlap: overlaps with the axis 'method'"},
        Refusal{"BadValueInAVariant",
                scenario(R"("sweep": {"method": {"a": {"/compressor": {"name": "topk", "density": 2}}}})"),
                "s.json:/sweep/method/a/~1compressor/density: must lie in (0, 1], got 2"},
        Refusal{"SetOfAPlaceThatVariantsSet",
                scenario(R"("sweep": {"method": {"a": {"/overlap": true}}})"),
                "--set /overlap=false: '/overlap' is swept; set /sweep/method instead",
                {"/overlap=false"}},
        Refusal{"SweepNoPointer", scenario(R"("sweep": {"learners": [1]})"),
                "s.json:/sweep/learners: 'learners' is no JSON pointer: it begins with '/', as in "
                "/platform/bandwidth"},
        Refusal{
            "BadValueInASweep",
            scenario(
                R"("sweep": {"/learners": [4], "/compressor": ["none", {"name": "topk", "density": 2}]})"),
            "s.json:/sweep/~1compressor/1/density: must lie in (0, 1], got 2"},
        Refusal{"SetWithoutValue",
                scenario(""),
                "--set /learners: must be POINTER=VALUE, as in --set "
                "/platform/bandwidth=25Gbps",
                {"/learners"}},
        Refusal{"SetOfASweptPlace",
                scenario(R"("sweep": {"/learners": [4]})"),
                "--set /learners=8: '/learners' is swept; set /sweep/~1learners instead",
                {"/learners=8"}},
        Refusal{"SetThroughAString",
                scenario(""),
                "--set /name/deep=1: '/name' is \"x\", which has no members",
                {"/name/deep=1"}}),
    [](const testing::TestParamInfo<Refusal>& tested) { return std::string(tested.param.name); });

TEST(WordsSent, AreThoseOfTheMethod) {
  auto words = [](const std::string& method) {
    Plan plan = plan_of(scenario("\"compressor\": " + method));
    return words_sent(plan.points[0].scenario.compressor, 1);
  };
  EXPECT_EQ(words(R"("none")"), (std::set{Word::all_reduce}));
  EXPECT_EQ(words(R"({"name": "topk", "density": 0.1})"), (std::set{Word::all_gather}));
  EXPECT_EQ(words(R"({"name": "topk", "density": 0.1, "transport": "sparse_all_reduce"})"),
            (std::set{Word::sparse_all_reduce}));
  EXPECT_EQ(words(R"("cgx")"), (std::set{Word::all_reduce, Word::all_gather, Word::all_to_all}));
}

TEST(Catalogs, HaveTablesWithoutContradictions) {
  for (const auto& catalog : all_catalogs())
    for (const EntryInfo& entry : catalog) {
      EXPECT_EQ(table_error(entry.parameters), "") << entry.kind << " " << entry.name;
      EXPECT_FALSE(entry.summary.empty()) << entry.kind << " " << entry.name;
    }
}

TEST(Schema, KnowsEveryKeyAndEveryEntry) {
  Json schema = scenario_schema();
  for (const KeyInfo& key : scenario_keys()) EXPECT_TRUE(schema.at("properties").find(key.key)) << key.key;
  std::string text = schema.dump();
  for (const std::string& name : compressor_catalog().names())
    EXPECT_NE(text.find("\"" + name + "\""), text.npos);
}

}  // namespace
}  // namespace traincast
