#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/compressor_harness.hpp"
#include "tests/support/refusal.hpp"

namespace traincast {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

const TensorInfo kConvolution = {0, "conv1.weight", {8, 3, 3, 3}, "conv.weight"};
const TensorInfo kNormalisation = {1, "bn1.weight", {8}, "norm.weight"};
const TensorInfo kMatrix = {2, "layer1.weight", {16, 20}, "linear.weight"};
const TensorInfo kBias = {3, "layer1.bias", {16}, "bias"};
const TensorInfo kHead = {4, "head.weight", {10, 16}, "linear.weight"};
const Bucket kBucket = {7, {kHead, kBias, kMatrix, kNormalisation, kConvolution}};

std::vector<std::vector<std::string>> names_of(const std::vector<Bucket>& units) {
  std::vector<std::vector<std::string>> names;
  for (const Bucket& unit : units) {
    auto& all = names.emplace_back();
    for (const TensorInfo& tensor : unit.tensors) all.push_back(tensor.name);
  }
  return names;
}

TEST(PerLayer, GivesEachTensorToTheFirstRuleThatItFits) {
  auto policy = make_compressor(R"({"name": "per_layer", "rules": [
      {"tensors": "head.*", "compressor": "none"},
      {"dimensions": [2, 4], "at_least": 217, "compressor": {"name": "powersgd", "rank": 1}},
      {"kind": "*.weight", "compressor": {"name": "shared_mask", "density": 0.5}},
      {"below": 17, "compressor": "fp16"}]})");
  EXPECT_THAT(names_of(policy->units(kBucket)),
              ElementsAre(ElementsAre("head.weight"), ElementsAre("layer1.weight"),
                          ElementsAre("bn1.weight", "conv1.weight"), ElementsAre("layer1.bias")));
  // shared_mask sees what a bucket has of its tensors.
  EXPECT_EQ(policy->coupling(), Coupling::bucket);
  EXPECT_EQ(policy->units(kBucket)[2].id, kNormalisation.id);
  // Conv tensors of the same size on the border: 216 elements fit "at_least": 216 and not "below": 216.
  auto border = make_compressor(R"({"name": "per_layer", "rules": [
      {"below": 216, "compressor": "fp16"}, {"at_least": 216, "compressor": "signsgd"}]})");
  EXPECT_EQ(border->error_rule_for({0, {kConvolution}}).error, ErrorRule::Error::none);
  EXPECT_EQ(border->coupling(), Coupling::tensor);
}

// A tensor under a rule has what its method alone would give, memory included.
TEST(PerLayer, IsItsMethodForATensor) {
  const char* policy = R"({"name": "per_layer", "rules": [
      {"dimensions": [2], "compressor": {"name": "topk", "density": 0.1}},
      {"kind": "conv.*", "compressor": {"name": "qsgd", "levels": 4}}], "otherwise": "ef_signsgd"})";
  for (auto [tensor, method] : {std::pair{kMatrix, R"({"name": "topk", "density": 0.1})"},
                                {kConvolution, R"({"name": "qsgd", "levels": 4})"},
                                {kBias, R"({"name": "ef_signsgd"})"}}) {
    Bucket unit = {tensor.id, {tensor}};
    UnitRun whole(policy, 3, unit), alone(method, 3, unit);
    for (std::uint64_t step = 0; step < 3; ++step) {
      auto gradients = random_gradients(3, tensor.numel(), step);
      auto seen = whole.step(gradients), expected = alone.step(gradients);
      EXPECT_EQ(seen.average, expected.average) << method;
      EXPECT_EQ(seen.phases, expected.phases) << method;
      EXPECT_EQ(whole.memory(1), alone.memory(1)) << method;
    }
  }
}

TEST(PerLayer, TakesTheErrorRuleOfARuleOverThatOfThePaper) {
  auto policy = make_compressor(R"({"name": "per_layer", "rules": [
      {"dimensions": [2], "compressor": {"name": "topk", "density": 0.1}, "error": "none"},
      {"dimensions": [4], "compressor": {"name": "qsgd"}, "error": "global"},
      {"kind": "norm.*", "compressor": {"name": "topk", "density": 0.5}}]})");
  EXPECT_EQ(policy->error_rule_for({2, {kMatrix}}).error, ErrorRule::Error::none);
  EXPECT_EQ(policy->error_rule_for({0, {kConvolution}}).error, ErrorRule::Error::global);
  EXPECT_EQ(policy->error_rule_for({1, {kNormalisation}}).error, ErrorRule::Error::local);
  EXPECT_EQ(policy->error_rule_for({3, {kBias}}).error, ErrorRule::Error::none);
}

// Gathered, summed in two precisions and low-rank methods in one bucket: bytes add up, and what cannot be one
// collective is several.
TEST(PerLayer, MixesCollectivesInOneBucket) {
  const char* json = R"({"name": "per_layer", "rules": [
      {"tensors": "layer1.weight", "compressor": {"name": "topk", "density": 0.1}},
      {"tensors": "head.*", "compressor": {"name": "powersgd", "rank": 1}},
      {"kind": "conv.*", "compressor": {"name": "qsgd", "levels": 4}},
      {"kind": "bias", "compressor": "fp16"}]})";
  std::vector<std::vector<Phase>> units;
  Bytes contributed = 0;
  for (const Bucket& unit : make_compressor(json)->units(kBucket)) {
    UnitRun run(json, 4, unit);
    units.push_back(run.step(random_gradients(4, unit.numel())).phases);
    for (const Phase& phase : units.back())
      if (phase.op) contributed += phase.op->contributed(4);
  }
  auto phases = fuse(units).phases;
  std::vector<std::pair<Word, Element>> sent;
  Bytes fused = 0;
  for (const Phase& phase : phases)
    if (phase.op) {
      sent.emplace_back(phase.op->word, phase.op->element);
      fused += phase.op->contributed(4);
    }
  EXPECT_EQ(fused, contributed);
  // Phase 0: messages of topk and qsgd together, P with what goes dense, halves; then Q.
  EXPECT_THAT(
      sent,
      ElementsAre(std::pair(Word::all_gather, Element::fp32), std::pair(Word::all_reduce, Element::fp32),
                  std::pair(Word::all_reduce, Element::fp16), std::pair(Word::all_reduce, Element::fp32)));
  EXPECT_EQ(phases[0].op->bytes.at(0), units[0][0].op->bytes.at(0) + units[2][0].op->bytes.at(0));
}

// Language models: an embedding's gradient is sparse by itself, whose rows top-k finds; matrices are of low
// rank; vectors go whole. Each keeps its own memory, and an optimiser's step gets what each method alone
// gives.
TEST(PerLayer, MixesLowRankForMatricesWithTopKForEmbeddings) {
  const char* json = R"({"name": "per_layer", "rules": [
      {"kind": "embedding.*", "compressor": {"name": "topk", "density": 0.05}},
      {"dimensions": [2], "compressor": {"name": "powersgd", "rank": 2}}]})";
  const Bucket bucket = {0,
                         {{0, "encoder.weight", {50, 8}, "embedding.weight"},
                          {1, "rnn.weight_ih", {24, 16}, "lstm.weight"},
                          {2, "rnn.weight_hh", {24, 8}, "lstm.weight"},
                          {3, "rnn.bias", {24}, "bias"}}};
  const char* alone[] = {R"({"name": "topk", "density": 0.05})", R"({"name": "powersgd", "rank": 2})",
                         R"({"name": "powersgd", "rank": 2})", R"({"name": "none"})"};
  auto units = make_compressor(json)->units(bucket);
  ASSERT_EQ(units.size(), 4u);
  std::vector<UnitRun> mixed, single;
  for (const Bucket& unit : units) {
    mixed.emplace_back(json, 4, unit);
    single.emplace_back(alone[unit.id], 4, unit);
  }
  for (std::uint64_t step = 0; step < 3; ++step) {
    std::vector<std::vector<Phase>> phases;
    for (std::size_t u = 0; u < units.size(); ++u) {
      auto gradients = random_gradients(4, units[u].numel(), step, units[u].id);
      auto seen = mixed[u].step(gradients);
      EXPECT_EQ(seen.average, single[u].step(gradients).average) << units[u].tensors[0].name;
      EXPECT_EQ(mixed[u].memory(3), single[u].memory(3)) << units[u].tensors[0].name;
      phases.push_back(seen.phases);
    }
    // Messages of 20 entries; P of both matrices; the bias; Q of both.
    using Sent = std::pair<Word, std::uint64_t>;
    std::vector<Sent> sent;
    for (const Phase& phase : fuse(phases).phases)
      if (phase.op)
        sent.emplace_back(phase.op->word,
                          phase.op->word == Word::all_gather ? phase.op->bytes.at(0) : phase.op->count);
    EXPECT_THAT(sent, ::testing::UnorderedElementsAre(Sent(Word::all_gather, 8 * 20),
                                                      Sent(Word::all_reduce, 2 * (24 + 24) + 24),
                                                      Sent(Word::all_reduce, 2 * (16 + 8))));
  }
}

TEST(PerLayer, RefusesAtThePlaceOfTheMistake) {
  auto refused = [](const char* json) { return refusal([&] { make_compressor(json); }); };
  EXPECT_EQ(refused(R"({"name": "per_layer", "rules": [{"compressor": "none"},
                        {"compressor": {"name": "topk", "density": 2}}]})"),
            "test:/rules/1/compressor/density: must lie in (0, 1], got 2");
  EXPECT_THAT(refused(R"({"name": "per_layer", "rules": [{"tensor": "*", "compressor": "none"}]})"),
              HasSubstr("test:/rules/0/tensor: unknown key; did you mean 'tensors'?"));
  EXPECT_THAT(refused(R"({"name": "per_layer", "rules": [{"tensors": "*"}]})"),
              HasSubstr("test:/rules/0: key 'compressor' is missing"));
  EXPECT_THAT(refused(R"({"name": "per_layer", "rules": [{"compressor": {"name": "eden", "block": 48}}]})"),
              HasSubstr("test:/rules/0/compressor: 'block'"));
  EXPECT_THAT(refused(R"({"name": "per_layer", "rules": [
                          {"compressor": {"name": "dgc", "density": 0.1}, "error": "local"}]})"),
              HasSubstr("test:/rules/0/error: 'dgc' has a memory of its own"));
  EXPECT_THAT(refused(R"({"name": "per_layer", "rules": [
                          {"compressor": {"name": "lsg", "rank": 1}, "error": "local"}]})"),
              HasSubstr("test:/rules/0/error: 'lsg' can have none around it"));
  EXPECT_TRUE(
      make_compressor(R"({"name": "per_layer", "rules": [{"compressor": {"name": "lsg", "rank": 1}}]})")
          ->forbids_memory());
}

}  // namespace
}  // namespace traincast
