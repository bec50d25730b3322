// Distributed auto-differentiation with real learners: exactness, bytes, what is charged and what is told.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <map>

#include "base/error.hpp"
#include "compressors/codec.hpp"
#include "simulator/pass/accelerator_times.hpp"
#include "simulator/report_runner.hpp"
#include "tests/simulator/training/training_helpers.hpp"
#include "tests/support/scratch_folder.hpp"

namespace traincast {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

/// Learners whose factors are as long as they should be, and drawn at random.
class Strangers : public Valleys, public FactorWorld {
 public:
  explicit Strangers(WorldOptions options) : Valleys(options), room_(options.room) {}
  FactorWorld* factored() override { return this; }
  std::span<float> room() override { return room_; }
  std::vector<double> factors(FactorForm, std::span<const FactorPass> passes) override {
    std::vector<Pass> plain;
    for (const FactorPass& one : passes) {
      plain.push_back(one.pass);
      RandomStream random({.seed = 1, .learner = one.pass.learner});
      for (float& value : one.factors) value = static_cast<float>(random.uniform());
    }
    return gradients(plain);
  }
  void multiply(FactorForm, std::uint64_t, std::span<const float>, std::span<const std::span<const float>>,
                std::span<float>) override {}

 private:
  std::vector<float> room_;
};

TrainingRun of_strangers(const Scenario& scenario) {
  TrainingPlace place;
  place.make_world = [](WorldOptions options) { return std::make_unique<Strangers>(std::move(options)); };
  return train(scenario, scenario.workload->entry->make(scenario.workload->parameters).layers, place);
}

TrainingRun trained(const std::string& training, const std::string& more = "", unsigned threads = 1,
                    const std::filesystem::path& checkpoint = {},
                    const std::function<void(std::uint64_t)>& progress = {}) {
  Plan plan = training_plan(R"("training": {"evaluation_samples": 40, "evaluate_every": 3, )" + training +
                            "}" + more);
  const Scenario& scenario = plan.points.front().scenario;
  TrainingPlace place;
  place.program = kCaptureProgram;
  place.threads = threads;
  place.checkpoint = checkpoint;
  place.progress = progress;
  return train(scenario, scenario.workload->entry->make(scenario.workload->parameters).layers, place);
}

const std::string kSync = R"("name": "sync_sgd")", kDad = R"("name": "dad")", kEdad = R"("name": "edad")",
                  kRank = R"("name": "rank_dad")";

double error_of(const StepRecord& step) { return std::sqrt(step.error_square / step.mean_gradient_square); }

void expect_same_losses(const TrainingRun& a, const TrainingRun& b, double relative) {
  ASSERT_EQ(a.curve.size(), b.curve.size());
  for (std::size_t i = 0; i < a.curve.size(); ++i)
    EXPECT_NEAR(a.curve[i].held_out.loss, b.curve[i].held_out.loss, relative * b.curve[i].held_out.loss)
        << "evaluation " << i;
}

// The authors' logs: after an epoch the losses of dSGD and edAD are equal to seven digits, those of training
// to 3e-7.
TEST(AutoDifferentiation, IsSynchronousSgdToFloatPrecision) {
  TrainingRun sync = trained(kSync);
  for (const std::string& kind : {kDad, kEdad}) {
    TrainingRun run = trained(kind);
    expect_same_losses(run, sync, 3e-7);
    for (const StepRecord& step : run.exchange.steps) EXPECT_LE(error_of(step), 5e-6) << kind;
  }
}

TEST(AutoDifferentiation, TrainsRecurrentAndConvolutionalModels) {
  for (
      const char* workload :
      {R"({"name": "gru_classifier", "vocabulary": 20, "width": 5, "units": 6, "length": 5, "batch": 4,
            "samples_per_learner": 12})",
       R"({"name": "convnet", "width": 4, "side": 8, "batch_norm": false, "batch": 4, "samples_per_learner": 12})"}) {
    const std::string more = std::string(R"(, "steps": 3, "workload": )") + workload;
    TrainingRun dad = trained(kDad, more);
    expect_same_losses(dad, trained(kSync, more), 1e-6);
    for (const StepRecord& step : dad.exchange.steps) EXPECT_LE(error_of(step), 5e-6) << workload;
  }
}

TEST(RankDad, OfEveryComponentIsSynchronousSgd) {
  // Three learners' four samples each: no product has more than twelve components.
  TrainingRun run = trained(kRank + R"(, "rank": 12, "tolerance": 1e-7)");
  expect_same_losses(run, trained(kSync), 1e-5);
  double few = error_of(trained(kRank + R"(, "rank": 1)").exchange.steps[0]);
  double some = error_of(trained(kRank + R"(, "rank": 3)").exchange.steps[0]);
  EXPECT_LT(error_of(run.exchange.steps[0]), 1e-4);
  EXPECT_LT(some, few);
  EXPECT_LT(few, 1);
}

const std::string kServer =
    R"(, "collective": {"push_pull": "servers"}, "platform": {"name": "parameter_server", "servers": 1,
        "bandwidth": "1Gbps", "latency": "5us"})";

TEST(RankDad, LearnsTheSameWhoeverReduces) {
  const std::string three = kRank + R"(, "rank": 3)";
  expect_same_losses(trained(three), trained(three + R"(, "reduced_by": "server")", kServer), 0);
}

Bytes sent_by_first(const StepRecord& step) {
  Bytes all = 0;
  for (const BucketExchange& bucket : step.buckets)
    for (const Phase& phase : bucket.phases)
      if (phase.op) all += phase.op->word == Word::all_reduce ? 4 * phase.op->count : phase.op->bytes[0];
  return all;
}

// Table of bytes per step and learner, two learners with 32 samples, in kB: layers without biases, whose
// gradients take no bytes where they are column sums, and are subtracted elsewhere.
TEST(AutoDifferentiation, SendsThePublishedBytes) {
  struct Row {
    std::vector<std::uint64_t> widths;
    double gradients, dad, edad;
    std::map<int, double> rank;
  };
  const Row rows[] = {
      {{784, 128, 10}, 406.5, 134.4, 118.0, {{1, 4.2}, {2, 8.4}, {3, 12.6}, {10, 42.0}}},
      {{784, 1024, 1024, 10}, 7446.5, 625.9, 363.8, {{1, 19.6}, {2, 39.1}, {3, 58.7}, {10, 195.6}}},
      {{784, 2048, 1024, 512, 256, 10},
       17442.8,
       1084.7,
       593.2,
       {{1, 33.9}, {2, 67.8}, {3, 101.7}, {10, 339.0}}}};
  for (const Row& row : rows) {
    Json hidden = Json::Array{};
    Bytes biases = 0, widths = 0, twice = 0;
    for (std::size_t i = 0; i < row.widths.size(); ++i) {
      if (i > 0) biases += 4 * row.widths[i];
      if (i > 0 && i + 1 < row.widths.size()) hidden.push_back(row.widths[i]);
      widths += row.widths[i];
      twice += row.widths[i] + (i > 0 && i + 1 < row.widths.size() ? row.widths[i] : 0);
    }
    const std::string more = R"(, "learners": 2, "steps": 1, "workload": {"name": "mlp", "side": 28,
        "channels": 1, "batch": 32, "samples_per_learner": 32, "hidden": )" +
                             hidden.dump(-1) + "}";
    auto step_of = [&](const std::string& training, const std::string& place = "") {
      Plan plan = training_plan(R"("training": {)" + training + "}" + more + place);
      return of_strangers(plan.points.front().scenario).exchange.steps.at(0);
    };
    auto bytes = [&](const std::string& training) { return sent_by_first(step_of(training)); };
    auto in_kb = [](Bytes exact, double published) {
      EXPECT_NEAR(static_cast<double>(exact) / 1000, published, 0.05 + 1e-9);
    };
    in_kb(bytes(kSync) - biases, row.gradients);
    const Bytes dad = bytes(kDad), edad = bytes(kEdad);
    EXPECT_EQ(dad, 4 * 32 * twice);  // A and Δ of every layer
    EXPECT_EQ(edad, 4 * 32 * widths);
    in_kb(dad, row.dad);
    in_kb(edad, row.edad);
    for (auto [rank, published] : row.rank) {
      // Without a tolerance nothing counts as exhausted.
      const std::string training =
          kRank + R"(, "tolerance": 0, "iterations": 1, "rank": )" + std::to_string(rank);
      const StepRecord step = step_of(training);
      EXPECT_EQ(sent_by_first(step) - biases, 4 * static_cast<Bytes>(rank) * twice);
      in_kb(sent_by_first(step) - biases, published);
      const StepRecord served = step_of(training + R"(, "reduced_by": "server")", kServer);
      Bytes pulled = 0;
      for (const BucketExchange& bucket : served.buckets) pulled += bucket.phases[0].op->pulled;
      EXPECT_EQ(sent_by_first(served), sent_by_first(step));
      EXPECT_EQ(pulled, sent_by_first(step));
    }
  }
}

TEST(RankDad, DropsTheLastComponentAsTheAuthorsDo) {
  auto bytes = [](const char* variant) {
    return sent_by_first(
        trained(kRank + R"(, "rank": 3, "tolerance": 0, "variant": ")" + variant + "\"").exchange.steps[0]);
  };
  const Bytes biases = 4 * (8 + 10), each = 4 * (3072 + 8 + 8 + 10);
  EXPECT_EQ(bytes("corrected"), biases + 3 * each);
  EXPECT_EQ(bytes("authors"), biases + 2 * each);
}

// Four samples: at most four components, and the deltas of a softmax over ten classes are no less.
TEST(RankDad, TellsTheEffectiveRankOfEachLayerByEpoch) {
  TrainingRun run = trained(kRank);  // six steps are two epochs
  ASSERT_EQ(run.layers.size(), 2u);
  EXPECT_EQ(run.layers[0].name, "fc0");
  for (const TrainedLayer& layer : run.layers) {
    ASSERT_EQ(layer.effective_rank.size(), 2u);
    for (double rank : layer.effective_rank) {
      EXPECT_GT(rank, 1) << layer.name;
      EXPECT_LE(rank, 4) << layer.name;
    }
  }
  for (const TrainedLayer& layer : trained(kRank + R"(, "rank": 2)").layers)
    EXPECT_THAT(layer.effective_rank, ElementsAre(2, 2));
  // What is sent is as long as what is found.
  EXPECT_NEAR(run.layers[1].bytes,
              4 * (8 + 10) * (run.layers[1].effective_rank[0] + run.layers[1].effective_rank[1]) / 2 + 4 * 10,
              1e-6);
}

TEST(AutoDifferentiation, SendsLayerByLayerTheLastFirstAndOverlapsBackward) {
  TrainingRun run = trained(kDad);
  std::vector<std::vector<std::string>> names;
  for (const Bucket& bucket : run.exchange.buckets) {
    names.emplace_back();
    for (const TensorInfo& tensor : bucket.tensors) names.back().push_back(tensor.name);
  }
  EXPECT_THAT(names,
              ElementsAre(ElementsAre("fc1.bias", "fc1.weight"), ElementsAre("fc0.bias", "fc0.weight")));
  const StepRecord& step = run.exchange.steps[0];
  EXPECT_FALSE(step.after_backward);
  for (const BucketExchange& bucket : step.buckets) EXPECT_EQ(bucket.phases[0].op->word, Word::all_gather);
  EXPECT_EQ(step.buckets[1].phases[0].op->bytes, std::vector<Bytes>(3, 4 * 4 * (3072 + 8)));
}

TEST(AutoDifferentiation, ChargesTheProductOfAllLearnersSamples) {
  auto gemms = [](const StepRecord& step, std::size_t bucket) {
    std::vector<std::array<std::uint64_t, 3>> sizes;
    for (const Work& work : step.buckets[bucket].phases.back().work) {
      EXPECT_EQ(work.stage, Stage::decode);
      if (work.primitive == Primitive::gemm) sizes.push_back(work.sizes);
    }
    return sizes;
  };
  using Sizes = std::array<std::uint64_t, 3>;
  const StepRecord dad = trained(kDad).exchange.steps[0], edad = trained(kEdad).exchange.steps[0];
  // Three learners with four samples.
  EXPECT_THAT(gemms(dad, 1), ElementsAre(Sizes{8, 12, 3072}));
  EXPECT_THAT(gemms(edad, 0), ElementsAre(Sizes{10, 12, 8}));
  EXPECT_THAT(gemms(edad, 1), ElementsAre(Sizes{12, 10, 8}, Sizes{8, 12, 3072})) << "deltas first";
}

// How many components there are the host knows only when they are found.
TEST(RankDad, WaitsForTheSizeOfItsMessages) {
  for (const std::string& kind : {kDad, kRank}) {
    Plan plan = training_plan("\"training\": {" + kind + "}");
    const Scenario& scenario = plan.points.front().scenario;
    const ExchangeRecord record = of_strangers(scenario).exchange;
    double worked = 0, charged = 0;
    for (const Work& work : record.steps[0].buckets[0].phases[0].work)
      worked += scenario.accelerator->seconds(work);
    charged = accelerator_codec(scenario, record).of(record, 0)[0][0].each_s[0];
    EXPECT_NEAR(charged - worked, kind == kRank ? scenario.accelerator->synchronisation_s : 0, 1e-12) << kind;
  }
}

TEST(AutoDifferentiation, SendsThroughTheScenariosCodec) {
  const TrainingRun dense = trained(kDad);
  for (const std::string& kind : {kDad, kEdad, kRank + R"(, "rank": 12, "tolerance": 1e-7)"}) {
    // All of the numbers, with their places: the same gradient, dearer.
    TrainingRun all = trained(kind, R"(, "compressor": {"name": "topk", "density": 1})");
    expect_same_losses(all, dense, 1e-5);
    TrainingRun few = trained(kind, R"(, "compressor": {"name": "topk", "density": 0.25})");
    EXPECT_LT(sent_by_first(few.exchange.steps[0]), sent_by_first(all.exchange.steps[0])) << kind;
    EXPECT_GT(error_of(few.exchange.steps[0]), 0.01) << kind;
  }
  // 8 bits and a norm for each of two matrices a layer.
  TrainingRun qsgd = trained(kDad, R"(, "compressor": {"name": "qsgd", "levels": 127})");
  EXPECT_LT(4 * sent_by_first(qsgd.exchange.steps[0]), 3 * sent_by_first(dense.exchange.steps[0]));
  EXPECT_LT(error_of(qsgd.exchange.steps[0]), 0.2);
}

// Whatever these methods make of gradients' messages: factors are encoded and decoded.
TEST(AutoDifferentiation, SendsThroughTheCodecsOfMethodsThatVoteOrCompressMeansAnew) {
  struct Shape {
    std::uint64_t rows, width;
  };
  // Four samples; inputs and deltas of 3072-8-10, all but the inner deltas for edad.
  const std::vector<Shape> dad = {{4, 3072}, {4, 8}, {4, 8}, {4, 10}}, edad = {{4, 3072}, {4, 8}, {4, 10}};
  auto sent = [](const std::string& kind, const std::string& compressor) {
    Plan plan = training_plan(R"("steps": 1, "training": {)" + kind + R"(}, "compressor": )" + compressor);
    return sent_by_first(of_strangers(plan.points.front().scenario).exchange.steps[0]);
  };
  for (const char* method : {R"("onebit_sgd")", R"("signsgd")", R"("fosgd")", R"("cgx")"}) {
    const Plan plan = training_plan(std::string(R"("compressor": )") + method);
    const Scenario& scenario = plan.points.front().scenario;
    auto codec_of = scenario.compressor.entry->make(scenario.compressor.parameters, scenario.seed);
    auto encoded = [&](const std::vector<Shape>& matrices) {
      Bytes all = 0;
      for (auto [rows, width] : matrices) {
        const Bucket unit{
            0,
            {{0, "factor", {static_cast<std::int64_t>(rows), static_cast<std::int64_t>(width)}, "factor"}}};
        const UnitDraws draws(1, 0, 0);
        const KeyedDraws own = draws.own(0);
        const std::vector<float> ones(rows * width, 1.0f);
        all += codec_of->codec()->encode(ones, {unit, ones.size(), 0, 0, own, draws.shared()}).size();
      }
      return all;
    };
    EXPECT_EQ(sent(kDad, method), encoded(dad)) << method;
    EXPECT_EQ(sent(kEdad, method), encoded(edad)) << method;
    EXPECT_LT(sent(kRank, method), sent(kRank, R"("none")")) << method;
  }
  // Eight in place of 32 bits, between the least and the largest of 512 numbers.
  const TrainingRun run = trained(kEdad, R"(, "steps": 1, "compressor": {"name": "cgx", "bits": 8})");
  EXPECT_LT(error_of(run.exchange.steps[0]), 0.05);
}

TEST(AutoDifferentiation, SaysForWhichLayersItSendsMoreThanTheGradient) {
  Json scenario = training_scenario(R"("steps": 1, "workload": {"name": "convnet", "width": 4, "side": 8,
      "batch_norm": false, "batch": 4, "samples_per_learner": 12},
      "training": {"name": "dad", "evaluation_samples": 40})");
  Json report = report_runner(RunOptions())(scenario, "test.json");
  const Json& layers = report.at("points").items()[0].at("training").at("runs").items()[0].at("layers");
  const Json& stem = layers.items()[0];
  EXPECT_EQ(stem.at("name").text(), "stem");
  // Images of three channels, deltas of four, on 64 places of four samples; 3·4·9 weights and four biases.
  EXPECT_EQ(stem.at("bytes").number(), 4 * 4 * 64 * (3 + 4));
  EXPECT_EQ(stem.at("gradient_bytes").number(), 4 * (108 + 4));
  EXPECT_TRUE(stem.at("dearer_than_gradient").flag());
  std::string warnings = report.at("warnings").dump(-1);
  EXPECT_THAT(warnings, HasSubstr("is longer than the gradient for stem"));
}

std::vector<double> numbers(const TrainingRun& run) {
  std::vector<double> all;
  for (const Evaluated& at : run.curve) all.push_back(at.held_out.loss);
  for (const StepRecord& step : run.exchange.steps) all.push_back(step.error_square);
  for (const TrainedLayer& layer : run.layers) {
    all.push_back(layer.bytes);
    all.insert(all.end(), layer.effective_rank.begin(), layer.effective_rank.end());
  }
  return all;
}

TEST(AutoDifferentiation, GoesOnFromACheckpointToTheByte) {
  struct Stop {};
  const std::string qsgd = R"(, "compressor": {"name": "qsgd", "levels": 15})";
  for (const std::string& kind : {kDad, kEdad, kRank}) {
    TrainingRun whole = trained(kind, qsgd);
    ScratchFolder folder;
    EXPECT_THROW(trained(kind, qsgd, 1, folder.path(),
                         [](std::uint64_t done) {
                           if (done == 5) throw Stop{};
                         }),
                 Stop);
    EXPECT_EQ(numbers(trained(kind, qsgd, 2, folder.path())), numbers(whole)) << kind;
  }
}

TEST(AutoDifferentiation, IsRefusedWhereItCouldNotKeepItsPromise) {
  auto why = [](const std::string& members) {
    try {
      training_plan(members);
    } catch (const InputError& error) {
      return std::string(error.what());
    }
    return std::string("accepted");
  };
  auto with = [&](const std::string& kind, const std::string& more) {
    return why("\"training\": {" + kind + "}, " + more);
  };
  const std::string convnet = R"("workload": {"name": "convnet", "width": 4, "side": 8})";
  EXPECT_THAT(with(kDad, convnet),
              HasSubstr("/training: 'dad' cannot train this workload: its gradient is that"));
  EXPECT_THAT(with(kEdad, R"("workload": {"name": "vgg19", "side": 32, "dropout": 0.5})"),
              HasSubstr("the masks of dropout are not gathered: set dropout to 0"));
  EXPECT_THAT(with(kEdad, R"("workload": "gru_classifier")"), HasSubstr("this model has an embedding"));
  EXPECT_EQ(with(kRank, convnet), "accepted");
  EXPECT_THAT(with(kDad, R"("compressor": {"name": "powersgd", "rank": 1})"),
              HasSubstr("'powersgd' as it stands is no such method"));
  EXPECT_THAT(with(kDad, R"("compressor": "signum")"),
              HasSubstr("/compressor: 'signum' remembers gradients of earlier steps"));
  EXPECT_THAT(with(kDad, R"("compressor": {"name": "none", "precision": "bf16"})"), HasSubstr("sends fp32"));
  EXPECT_THAT(with(kDad, R"("buckets": "tensor")"), HasSubstr("sends layer by layer"));
  EXPECT_THAT(
      with(kDad, R"("compressor": {"name": "topk", "density": 0.1}, "error_feedback": {"error": "local"})"),
      HasSubstr("no gradients that a memory could hold back"));
  EXPECT_THAT(with(kRank + R"(, "reduced_by": "server")", R"("steps": 6)"),
              HasSubstr("/collective/push_pull: a server that reduces components needs whole messages"));
  EXPECT_THAT(with(kRank + R"(, "rank": 1, "variant": "authors")", R"("steps": 6)"),
              HasSubstr("drops the last component"));
  for (const char* kind : {"dad", "edad", "rank_dad"})
    EXPECT_THAT(
        why(R"("gradients": {"name": "trace", "path": "t"}, "training": ")" + std::string(kind) + "\""),
        HasSubstr("'" + std::string(kind) + "' needs training with the method in the loop"));
}

}  // namespace
}  // namespace traincast
