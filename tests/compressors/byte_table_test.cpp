// What every learner sends for ResNet-18 on CIFAR-10, against closed forms and published volumes.
#include <gtest/gtest.h>

#include "tests/support/compressor_harness.hpp"
#include "tests/support/resnet18.hpp"

namespace traincast {
namespace {

constexpr std::uint64_t kTableParameters = 11173962, kTableLearners = 16;

class Ignored final : public Contributions {
 public:
  bool wants_dense() const override { return false; }
  void kept(LearnerId, std::span<const Index>, std::span<const float>, Selection) override {}
  void kept(LearnerId, std::span<const float>) override {}
  void kept_all(LearnerId) override {}
};

class Ramp final : public GradientSource {
 public:
  void read(LearnerId, std::span<float> into) const override {
    for (std::size_t i = 0; i < into.size(); ++i)
      into[i] = 1 + static_cast<float>(static_cast<std::uint32_t>(i * 2654435761u)) * 0x1p-32f;
  }
};

/// The collectives of one learner's step over these units.
std::vector<Op> ops_of_method(const char* json, const std::vector<Bucket>& units) {
  std::vector<Op> ops;
  for (const Bucket& unit : units) {
    const LearnerId alone[] = {0};
    Group group(1);
    Ignored ignored;
    Vector average(unit.numel());
    make_compressor(json)->aggregate({.learners = alone}, unit, Ramp(), group, ignored, average);
    for (const Phase& phase : group.phases())
      if (phase.op) ops.push_back(*phase.op);
  }
  return ops;
}

std::vector<Bucket> tensor_by_tensor() {
  std::vector<Bucket> units;
  for (const TensorInfo& layer : resnet18_layers()) units.push_back({layer.id, {layer}});
  return units;
}
std::vector<Bucket> one_vector() { return {one_tensor({static_cast<std::int64_t>(kTableParameters)})}; }
std::vector<Bucket> one_bucket() { return {{0, resnet18_layers()}}; }

/// Bytes sent by N such learners in rings: an all-reduce of S bytes sends 2(N − 1)·S in all, an all-gather of
/// B bytes each N(N − 1)·B.
std::uint64_t ring_bytes(const std::vector<Op>& ops, std::uint64_t learners) {
  std::uint64_t sum = 0;
  for (const Op& op : ops)
    sum += op.word == Word::all_gather ? learners * (learners - 1) * op.bytes.at(0)
                                       : 2 * (learners - 1) * op.count * size_of(op.element);
  return sum;
}
std::uint64_t contributed(const std::vector<Op>& ops) {
  std::uint64_t sum = 0;
  for (const Op& op : ops) sum += op.contributed(1);
  return sum;
}

TEST(ByteTable, KnowsItsNetwork) {
  std::uint64_t parameters = 0, matrices = 0, in_vectors = 0;
  for (const TensorInfo& layer : resnet18_layers()) {
    parameters += layer.numel();
    matrices += layer.shape.size() > 1;
    if (layer.shape.size() == 1) in_vectors += layer.numel();
  }
  EXPECT_EQ(parameters, kTableParameters);
  EXPECT_EQ(resnet18_layers().size(), 62u);
  EXPECT_EQ(matrices, 21u);
  EXPECT_EQ(in_vectors, 9610u);
}

TEST(ByteTable, MethodsThatSumInFlight) {
  EXPECT_EQ(ring_bytes(ops_of_method(R"({"name": "none"})", tensor_by_tensor()), kTableLearners),
            30 * 4 * kTableParameters);
  EXPECT_EQ(ring_bytes(ops_of_method(R"({"name": "none", "precision": "bf16"})", tensor_by_tensor()),
                       kTableLearners),
            30 * 2 * kTableParameters);
  EXPECT_EQ(ring_bytes(ops_of_method(R"({"name": "fp16"})", tensor_by_tensor()), kTableLearners),
            30 * 2 * kTableParameters);
  EXPECT_EQ(
      ring_bytes(ops_of_method(R"({"name": "powersgd", "rank": 2})", tensor_by_tensor()), kTableLearners),
      30 * 4 * 82260u);
  // 1 % of the whole model: 111,739 entries.
  EXPECT_EQ(
      ring_bytes(ops_of_method(R"({"name": "random_k", "density": 0.01})", one_vector()), kTableLearners),
      30 * 4 * 111739u);
  EXPECT_EQ(
      ring_bytes(ops_of_method(R"({"name": "random_block", "density": 0.01})", one_vector()), kTableLearners),
      30 * 4 * 111739u);
}

TEST(ByteTable, MethodsThatGather) {
  auto sent = [](const char* json, const std::vector<Bucket>& units) {
    return ring_bytes(ops_of_method(json, units), kTableLearners);
  };
  EXPECT_EQ(sent(R"({"name": "topk", "density": 0.01, "scope": "model"})", one_bucket()), 16 * 13408680u);
  EXPECT_EQ(sent(R"({"name": "topk", "density": 0.01, "scope": "model", "index": "int64"})", one_bucket()),
            16 * 20113020u);
  EXPECT_EQ(sent(R"({"name": "signsgd", "aggregate": "mean"})", one_vector()), 16 * 20951220u);
  EXPECT_EQ(sent(R"({"name": "signsgd", "aggregate": "mean", "coding": "bytes"})", one_vector()),
            16 * 167609430u);
  EXPECT_EQ(sent(R"({"name": "qsgd", "bucket": 128, "coding": "bytes"})", one_vector()), 16 * 172847250u);
  EXPECT_EQ(sent(R"({"name": "qsgd", "bucket": 128, "coding": "bytes", "padding": "buckets"})", one_vector()),
            16 * 172848060u);
  EXPECT_EQ(sent(R"({"name": "int8", "scope": "bucket"})", one_bucket()), 16 * 167609550u);
}

// 1-bit Adam: 2(N − 1)/N · D/8 and eight bytes of scales for each other learner, D being d filled up to a
// multiple of 256; Ok-Topk: less than 6k(N − 1) words of all learners. Both grow in proportion to d, so that
// a thousandth of it shows what the whole sends.
TEST(ByteTable, MethodsThatOwnersAnswer) {
  auto of_onebit_adam = [](std::uint64_t numel) {
    return 2 * 15 * ((numel + 255) / 256 * 256 / 8 / 16) + 8 * 15;
  };
  auto most_of_oktopk = [](std::uint64_t numel) {  // of all learners
    return 4 * 6 * (numel / 100) * (kTableLearners - 1);
  };
  EXPECT_EQ(of_onebit_adam(kTableParameters), 2619060u);
  EXPECT_EQ(most_of_oktopk(kTableParameters) / kTableLearners, 2514127u);
  constexpr std::int64_t kFewer = kTableParameters / 1000;
  // In the second step, in which Ok-Topk goes by the thresholds of the first, that gathered all sums for
  // them.
  auto bytes_of_all = [](const char* json) {
    UnitRun run(json, kTableLearners, one_tensor({kFewer}), ErrorRule{});
    run.step(random_gradients(kTableLearners, kFewer));
    std::uint64_t bytes = 0;
    for (const Phase& phase : run.step(random_gradients(kTableLearners, kFewer, 1)).phases) {
      if (!phase.op) continue;
      const auto& sizes = phase.op->bytes;
      for (std::size_t i = 0; i < sizes.size(); ++i) {
        if (phase.op->word == Word::all_gather) bytes += (kTableLearners - 1) * sizes[i];
        if (phase.op->word != Word::all_to_all) continue;
        if (sizes.size() == 1) bytes += kTableLearners * (kTableLearners - 1) * sizes[i];
        if (sizes.size() > 1 && i / kTableLearners != i % kTableLearners) bytes += sizes[i];
      }
    }
    return bytes;
  };
  EXPECT_EQ(bytes_of_all(R"({"name": "onebit_adam"})"), kTableLearners * of_onebit_adam(kFewer));
  auto of_oktopk = bytes_of_all(R"({"name": "oktopk", "density": 0.01})");
  EXPECT_LT(of_oktopk, most_of_oktopk(kFewer));
  EXPECT_GT(of_oktopk, most_of_oktopk(kFewer) / 3);
}

// What a worker hands over in one step, counted as the PowerSGD paper's code counts it.
TEST(ByteTable, PublishedVolumesOfAStep) {
  EXPECT_EQ(contributed(ops_of_method(R"({"name": "terngrad"})", one_vector())), 2793491u + 4);
  EXPECT_EQ(contributed(ops_of_method(R"({"name": "sign_norm"})", one_bucket())), 1396748u + 248);
  EXPECT_EQ(
      contributed(ops_of_method(R"({"name": "signum", "transport": "all_gather"})", tensor_by_tensor())),
      1396748u);
  // Top-K of the paper: ⌊numel / 64⌋ and ⌊numel / 272⌋ entries of each tensor, at least one.
  EXPECT_EQ(contributed(ops_of_method(R"({"name": "topk", "density": 0.015625})", tensor_by_tensor())),
            1396752u);
  EXPECT_EQ(
      contributed(ops_of_method(R"({"name": "topk", "density": 0.003676470588235294})", tensor_by_tensor())),
      328608u);
  for (auto [rank, floats] : {std::pair{1, 45935u}, {2, 82260u}, {4, 154910u}, {7, 263885u}}) {
    std::string json = R"({"name": "powersgd", "rank": )" + std::to_string(rank) + "}";
    EXPECT_EQ(contributed(ops_of_method(json.c_str(), tensor_by_tensor())), 4 * floats) << "rank " << rank;
  }
}

// Eight bytes an entry gathered meet the dense ring at N = 1 / density, a byte an element at N = 8, a bit
// at 64.
TEST(ByteTable, CrossoversWithTheDenseRing) {
  const std::vector<Bucket> unit = {one_tensor({64000})};
  const auto dense = ops_of_method(R"({"name": "none"})", unit);
  auto excess = [&](const char* json, std::uint64_t learners) {
    return static_cast<double>(ring_bytes(ops_of_method(json, unit), learners)) /
           static_cast<double>(ring_bytes(dense, learners));
  };
  for (auto [json, inverse] : {std::pair{R"({"name": "topk", "density": 0.1})", 10u},
                               {R"({"name": "topk", "density": 0.01})", 100u},
                               {R"({"name": "topk", "density": 0.001})", 1000u}}) {
    EXPECT_LT(excess(json, inverse - 1), 1);
    EXPECT_EQ(excess(json, inverse), 1);
    EXPECT_GT(excess(json, inverse + 1), 1);
  }
  EXPECT_LT(excess(R"({"name": "signsgd", "aggregate": "mean", "coding": "bytes"})", 7), 1);
  EXPECT_EQ(excess(R"({"name": "signsgd", "aggregate": "mean", "coding": "bytes"})", 8), 1);
  EXPECT_GT(excess(R"({"name": "signsgd", "aggregate": "mean", "coding": "bytes"})", 9), 1);
  EXPECT_LT(excess(R"({"name": "signsgd", "aggregate": "mean"})", 63), 1);
  EXPECT_EQ(excess(R"({"name": "signsgd", "aggregate": "mean"})", 64), 1);
  EXPECT_GT(excess(R"({"name": "signsgd", "aggregate": "mean"})", 65), 1);
}

}  // namespace
}  // namespace traincast
