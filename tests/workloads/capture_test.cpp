// The learners' gradients as LibTorch computes them: what they sum to, what they depend on. One process:
// start-up costs 0.8 s.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "base/error.hpp"
#include "base/random.hpp"
#include "tests/support/refusal.hpp"
#include "tests/support/scratch_folder.hpp"
#include "tests/workloads/capture_helpers.hpp"
#include "workloads/capture/mean_gradient.hpp"
#include "workloads/capture/pass_seconds.hpp"
#include "workloads/data/shards.hpp"
#include "workloads/workload.hpp"

namespace traincast {
namespace {

const std::string kSmallConvnet =
    R"({"name": "convnet", "width": 4, "batch": 4, "samples_per_learner": 64, "data": {"name": "images", "noise": 0.2}})";
const std::string kPlainConvnet =
    R"({"name": "convnet", "width": 4, "batch": 4, "samples_per_learner": 64, "data": {"name": "images", "noise": 0.2}, "batch_norm": false,
        "learning_rate": 0.02})";

Network network_for(const CaptureRequest& request, Precision precision) {
  return Network({.model = request.model, .seed = 3, .device = Device::cpu, .precision = precision});
}

/// ‖mean of four learners' gradients − gradient of their pooled batch‖ / ‖that‖.
double distance_from_pooled(const std::string& workload, Precision precision) {
  CaptureRequest request = request_for(workload, 4, 1, 1, "unused");
  Network network = network_for(request, precision);
  auto replica = network.replica();
  auto data = make_dataset(request.parameters.choice("data"), request.model, 3);
  Shards shards(*data, {}, 4, 64, 4, 3);
  Batch pooled;
  std::vector<std::vector<double>> mean(request.model.layers.size());
  for (LearnerId learner = 0; learner < 4; ++learner) {
    Batch batch;
    shards.fill(learner, 0, batch);
    pooled.features.insert(pooled.features.end(), batch.features.begin(), batch.features.end());
    pooled.samples += batch.samples;
    pooled.labels.insert(pooled.labels.end(), batch.labels.begin(), batch.labels.end());
    replica->run(batch);
    for (std::uint32_t id = 0; id < mean.size(); ++id) {
      auto gradient = replica->gradient_in_double(id);
      mean[id].resize(gradient.size());
      for (std::size_t i = 0; i < gradient.size(); ++i) mean[id][i] += gradient[i] / 4;
    }
  }
  replica->run(pooled);
  double difference = 0, norm = 0;
  for (std::uint32_t id = 0; id < mean.size(); ++id) {
    auto gradient = replica->gradient_in_double(id);
    for (std::size_t i = 0; i < gradient.size(); ++i) {
      difference += (mean[id][i] - gradient[i]) * (mean[id][i] - gradient[i]);
      norm += gradient[i] * gradient[i];
    }
  }
  return std::sqrt(difference / norm);
}

TEST(Capture, KeepsTheSameGradientsInFewerDigits) {
  ScratchFolder folder;
  CaptureRequest whole = request_for(kSmallMlp, 2, 2, 1, folder / "whole");
  CaptureRequest rounded = request_for(kSmallMlp, 2, 2, 1, folder / "rounded");
  rounded.values = Stored::bf16;
  Manifest m = run(rounded).manifest;
  run(whole);
  // Between evenly spread digits the error is 2^-9 / sqrt(3) of a power of two, at most; learners go on
  // unrounded.
  EXPECT_GT(m.rounding_error, 5e-4);
  EXPECT_LT(m.rounding_error, 0x1p-9);
  TraceReader exact(folder / "whole", 1), kept(folder / "rounded", 1);
  double error = 0, square = 0;
  for (std::size_t step : {0, 1})
    for (LearnerId learner : {0u, 1u})
      for (const TensorInfo& layer : m.layers) {
        std::vector<float> a(layer.numel()), b(layer.numel());
        exact.read(step, learner, layer.id, a);
        kept.read(step, learner, layer.id, b);
        for (std::size_t i = 0; i < a.size(); ++i) {
          error += (double{a[i]} - b[i]) * (double{a[i]} - b[i]);
          square += double{a[i]} * a[i];
        }
      }
  EXPECT_NEAR(std::sqrt(error / square), m.rounding_error, 1e-12);
}

TEST(Capture, HasGradientsWhoseMeanIsThatOfThePooledBatch) {
  use_one_thread_each();
  for (const std::string& workload : {kSmallMlp, kPlainConvnet}) {
    EXPECT_LT(distance_from_pooled(workload, Precision::fp64), 1e-12) << workload;
    EXPECT_LT(distance_from_pooled(workload, Precision::fp32), 5e-6) << workload;
  }
  // Normalising by the mini-batch's own statistics is what makes the difference.
  EXPECT_GT(distance_from_pooled(kSmallConvnet, Precision::fp64), 1e-3);
}

TEST(Capture, HasTheGradientsOfTheLoss) {
  // The loss along the gradient, by central differences: (f(p + εg) − f(p − εg)) / 2ε = ‖g‖².
  use_one_thread_each();
  for (const std::string& workload : {kSmallMlp, kSmallConvnet, kPlainConvnet}) {
    CaptureRequest request = request_for(workload, 1, 1, 1, "unused");
    Network network = network_for(request, Precision::fp64);
    auto replica = network.replica();
    Batch batch;
    auto data = make_dataset(request.parameters.choice("data"), request.model, 3);
    Shards(*data, {}, 1, 64, 4, 3).fill(0, 0, batch);
    replica->run(batch);
    std::vector<std::vector<float>> gradient;
    double square = 0;
    for (std::uint32_t id = 0; id < request.model.layers.size(); ++id) {
      gradient.emplace_back();
      for (double value : replica->gradient_in_double(id)) {
        gradient.back().push_back(static_cast<float>(value));
        square += value * value;
      }
    }
    const double step = 1e-5 / std::sqrt(square);
    network.apply(gradient, -step);
    double above = replica->run(batch);
    network.apply(gradient, 2 * step);
    double below = replica->run(batch);
    EXPECT_NEAR((above - below) / (2 * step), square, 1e-3 * square) << workload;
  }
}

TEST(Capture, RecordsTheLayersOfTheCatalog) {
  ScratchFolder folder;
  for (const std::string& workload : {kSmallMlp, kSmallConvnet, kPlainConvnet}) {
    std::string out = folder / std::to_string(workload.size());
    CaptureRequest request = request_for(workload, 2, 2, 2, out);
    run(request);
    TraceReader reader(out, 1);
    EXPECT_EQ(reader.manifest().layers, request.model.layers);
    EXPECT_EQ(reader.manifest().workload, request.parameters.resolved());
    EXPECT_EQ(reader.manifest().data.at("name").text(), "procedural images");
    // Every parameter takes part: none of its gradients is zero throughout.
    for (const TensorInfo& layer : request.model.layers) {
      std::vector<float> gradient(layer.numel());
      reader.read(0, 1, layer.id, gradient);
      EXPECT_TRUE(std::any_of(gradient.begin(), gradient.end(), [](float g) { return g != 0; }))
          << layer.name;
    }
  }
}

std::vector<std::string> hashes(const CaptureResult& result) {
  std::vector<std::string> all;
  for (const TraceFile& file : result.manifest.files) all.push_back(file.sha256);
  return all;
}

TEST(Capture, DependsOnTheSeedAndNotOnTheThreads) {
  ScratchFolder folder;
  for (const std::string& workload : {kSmallMlp, kSmallConvnet}) {
    std::string base = folder / std::to_string(workload.size());
    auto one = run(request_for(workload, 6, 4, 1, base + "-1", 9));
    auto two = run(request_for(workload, 6, 4, 2, base + "-2", 9));
    auto five = run(request_for(workload, 6, 4, 5, base + "-5", 9));
    auto other = run(request_for(workload, 6, 4, 2, base + "-other", 10));
    EXPECT_EQ(hashes(one), hashes(two));
    EXPECT_EQ(hashes(one), hashes(five));
    EXPECT_EQ(one.losses, two.losses);
    EXPECT_NE(hashes(one), hashes(other));
  }
}

TEST(MeanGradient, IsTheSameHoweverManyLearnersAreAddedAtOnce) {
  // Values whose sum depends on its order, and a tensor longer than what is added piece by piece.
  const std::vector<TensorInfo> layers{{0, "a", {3000}, ""}, {1, "b", {7}, ""}};
  std::vector<std::vector<std::vector<float>>> gradients(5);
  std::vector<double> losses;
  RandomStream random({.seed = 1});
  for (auto& gradient : gradients) {
    for (const TensorInfo& layer : layers)
      for (auto& values = gradient.emplace_back(); values.size() < layer.numel();)
        values.push_back(static_cast<float>(random.normal() * std::exp(20 * random.normal())));
    losses.push_back(random.normal() * 1e9);
  }
  auto mean_of = [&](const std::vector<std::uint32_t>& groups) {
    MeanGradient mean(layers);
    for (int step = 0; step < 2; ++step) {  // the second forgets the first
      mean.begin();
      LearnerId first = 0;
      for (std::uint32_t count : groups) {
        EXPECT_TRUE(mean.add(
            first, count,
            [&](std::uint32_t i, std::uint32_t id) {
              return std::span<const float>(gradients[first + i][id]);
            },
            std::span(losses).subspan(first, count)));
        first += count;
      }
    }
    const auto values = mean.mean();
    return std::pair(std::vector(values.begin(), values.end()), mean.mean_loss());
  };
  const auto one_by_one = mean_of({1, 1, 1, 1, 1});
  EXPECT_EQ(mean_of({5}), one_by_one);
  EXPECT_EQ(mean_of({2, 3}), one_by_one);
  double sum = 0;
  for (const auto& gradient : gradients) sum += static_cast<double>(gradient[0][2999]);
  EXPECT_EQ(one_by_one.first[0][2999], static_cast<float>(sum / 5));

  gradients[3][1][4] = NAN;
  EXPECT_THAT(
      [&] {
        mean_of({2, 3});
      },
      ::testing::ThrowsMessage<SimulationError>(
          ::testing::StartsWith("the gradient of 'b' is not finite at index 4: training diverged")));
}

TEST(MeanGradient, HoldsFewGradientsWhereTheyAreLargeOrLearnersAreFew) {
  EXPECT_EQ(summed_at_once(1000, 1024, 2), 8u);
  EXPECT_EQ(summed_at_once(1000, 8, 2), 2u);  // so that both threads have work
  EXPECT_EQ(summed_at_once(500000, 1024, 2), 4u);
  EXPECT_EQ(summed_at_once(25000000, 1024, 2), 1u);
  EXPECT_EQ(summed_at_once(1000, 1, 8), 1u);
}

TEST(PassSeconds, AreOfOneMiniBatchAndGrowWithIt) {
  auto seconds = [](int batch) {
    CaptureRequest request = request_for(R"({"name": "convnet", "width": 8, "batch": )" +
                                             std::to_string(batch) + R"(, "samples_per_learner": 64})",
                                         1, 1, 1, "unused");
    return pass_seconds(request, 5);
  };
  const PassSeconds few = seconds(2), many = seconds(32);
  EXPECT_GE(few.passes, 5u);
  EXPECT_GT(few.data, 0);
  EXPECT_GT(many.pass, 3 * few.pass);  // 16 times the samples, under whatever load
}

TEST(PassSeconds, AreWhatACommandLineAsksFor) {
  auto parsed = [](std::vector<const char*> arguments) { return parse_command_line(arguments); };
  const auto line = parsed({"--workload", R"({"name": "mlp", "batch": 4})", "--time", "here.json"});
  EXPECT_EQ(line->time, "here.json");
  EXPECT_EQ(line->request.parameters.count("batch"), 4);
  EXPECT_EQ(refusal([&] {
              parsed({"--workload", "mlp", "--time", "here.json", "--steps", "2"});
            }),
            "--steps: goes with capturing, not with --time");
  EXPECT_EQ(refusal([&] { parsed({"--time", "here.json"}); }), "--workload is missing; see --help");
  EXPECT_EQ(refusal([&] { parsed({"--workload", "mlp", "--time", ""}); }), "--time: must name a file");
}

TEST(Capture, DoesNotDependOnHowManyLearnersThereAreInItsFirstStep) {
  ScratchFolder folder;
  run(request_for(kSmallMlp, 2, 1, 1, folder / "two"));
  run(request_for(kSmallMlp, 6, 1, 2, folder / "six"));
  TraceReader two(folder / "two", 1), six(folder / "six", 1);
  std::vector<float> a(two.manifest().layers[0].numel()), b(a.size());
  two.read(0, 1, 0, a);
  six.read(0, 1, 0, b);
  EXPECT_EQ(a, b);
}

TEST(Capture, LearnsWithinFewSteps) {
  ScratchFolder folder;
  const std::string convnet =
      R"({"name": "convnet", "width": 8, "batch": 4, "samples_per_learner": 64, "data": {"name": "images", "noise": 0.2}})";
  for (const std::string& workload : {kSmallMlp, convnet, kPlainConvnet}) {
    auto result = run(request_for(workload, 8, 40, 2, folder / std::to_string(workload.size())));
    auto mean_of = [&](std::size_t first, std::size_t last) {
      double sum = 0;
      for (std::size_t i = first; i < last; ++i) sum += result.losses[i];
      return sum / static_cast<double>(last - first);
    };
    EXPECT_LT(mean_of(35, 40), 0.95 * mean_of(0, 3)) << workload;
  }
}

TEST(Capture, FollowsSgdWithMomentum) {
  // Two steps by hand from the recorded gradients: v ← μv + g, p ← p − ηv.
  CaptureRequest request = request_for(kSmallMlp, 2, 1, 1, "unused");
  Network network = network_for(request, Precision::fp32);
  std::vector<std::vector<float>> gradient;
  for (const TensorInfo& layer : request.model.layers) gradient.emplace_back(layer.numel(), 0.5f);
  auto before = network.parameter(0);
  network.apply(gradient, 0.25, {.momentum = 0.5});
  network.apply(gradient, 0.25, {.momentum = 0.5});
  auto after = network.parameter(0);
  for (std::size_t i = 0; i < before.size(); ++i)
    EXPECT_NEAR(after[i], before[i] - 0.25f * (0.5f + 0.75f), 1e-6) << i;
}

TEST(Capture, FollowsAdam) {
  // With the same gradient g at every step both means are g and g² once their bias is corrected: each step
  // goes by the rate in the direction of its sign. Nesterov's momentum: two steps of g + μv.
  CaptureRequest request = request_for(kSmallMlp, 2, 1, 1, "unused");
  auto distance = [&](const Optimizer& optimizer, float value) {
    Network network = network_for(request, Precision::fp64);
    std::vector<std::vector<float>> gradient;
    for (const TensorInfo& layer : request.model.layers) gradient.emplace_back(layer.numel(), value);
    auto before = network.parameter(0);
    for (int step = 0; step < 2; ++step) network.apply(gradient, 0.25, optimizer);
    return network.parameter(0)[5] - before[5];
  };
  EXPECT_NEAR(distance({.kind = Optimizer::Kind::adam, .momentum = 0.9}, 7), -0.5, 1e-6);
  EXPECT_NEAR(distance({.kind = Optimizer::Kind::adam, .momentum = 0.9}, -0.01f), 0.5, 1e-5);
  EXPECT_NEAR(distance({.momentum = 0.5, .nesterov = true}, 1), -0.25 * (1.5 + 1.75), 1e-6);
}

TEST(Capture, RecordsTheStepsThatWereChosen) {
  ScratchFolder folder;
  CaptureRequest request = request_for(kSmallMlp, 2, 6, 1, folder / "all");
  run(request);
  request.out = folder / "some";
  request.windows = {{1, 2}, {5, 5}};
  auto result = run(request);
  EXPECT_EQ(result.manifest.steps, (std::vector<std::uint64_t>{1, 2, 5}));
  EXPECT_EQ(result.losses.size(), 6u);
  TraceReader all(folder / "all", 1), some(folder / "some", 1);
  std::vector<float> a(request.model.layers[0].numel()), b(a.size());
  all.read(5, 1, 0, a);
  some.read(2, 1, 0, b);
  EXPECT_EQ(a, b);
}

TEST(Capture, TrainsOnTextByItsOwnWorkload) {
  ScratchFolder folder;
  auto request =
      request_for(R"({"name": "lstm_characters", "units": 24, "width": 16, "length": 12, "optimizer": "adam",
    "learning_rate": 0.01, "shards": {"name": "dirichlet", "alpha": 0.5}, "batch": 4, "samples_per_learner": 64,
    "data": {"name": "grammar", "topics": 4, "words": 2000}, "schedule": {"name": "cosine", "length": 100}})",
                  4, 12, 2, folder / "t");
  auto result = run(request);
  EXPECT_EQ(result.manifest.data.at("name").text(), "text from a grammar");
  EXPECT_TRUE(result.manifest.data.at("made").flag());
  EXPECT_EQ(result.manifest.data.at("shards").at("alpha").number(), 0.5);
  EXPECT_EQ(result.manifest.optimizer.at("name").text(), "adam");
  EXPECT_LT(result.losses.back(), 0.9 * result.losses.front());
}

TEST(Capture, TimesBackwardFromTheLastLayerToTheFirst) {
  ScratchFolder folder;
  auto result = run(request_for(R"("convnet")", 4, 4, 1, folder / "t"));
  const ComputeTimeline& timeline = result.manifest.timeline;
  EXPECT_GT(timeline.forward_s, 0);
  EXPECT_GT(timeline.optimizer_s, 0);
  for (double ready : timeline.ready_s) EXPECT_GT(ready, 0);
  EXPECT_EQ(timeline.backward_s(), timeline.ready_s.front());
  std::size_t in_order = 0;
  for (std::size_t i = 1; i < timeline.ready_s.size(); ++i)
    in_order += timeline.ready_s[i] <= timeline.ready_s[i - 1];
  EXPECT_GT(in_order, 0.6 * static_cast<double>(timeline.ready_s.size()));
}

TEST(Capture, SaysThatTrainingDiverged) {
  ScratchFolder folder;
  auto request = request_for(R"({"name": "mlp", "hidden": [16], "learning_rate": 100, "momentum": 0.99})", 2,
                             200, 1, folder / "t");
  try {
    run(request);
    FAIL() << "no error";
  } catch (const SimulationError& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("training diverged; lower learning_rate or momentum"));
  }
  EXPECT_FALSE(std::filesystem::exists(folder / "t"));
}

std::string error_of_options(const std::vector<std::string>& words) {
  std::vector<const char*> arguments;
  for (const std::string& word : words) arguments.push_back(word.c_str());
  return refusal([&] { parse_command_line(arguments); });
}

TEST(CaptureOptions, AreRefusedWithTheWayOut) {
  EXPECT_EQ(
      error_of_options({"--learner", "3"}),
      "unknown option '--learner'; did you mean '--learners'?; known: --help, --quiet, --serve, --workload, "
      "--learners, --steps, --out, --record, --folder, --calibrate, --time, --seed, --threads, --device, "
      "--values");
  EXPECT_EQ(error_of_options({"--learners"}), "--learners: a value must follow");
  EXPECT_EQ(error_of_options({"--learners", "0"}),
            "--learners: must be a whole number in [1, 65536], got '0'");
  EXPECT_EQ(error_of_options({"--steps", "2.5"}),
            "--steps: must be a whole number in [1, 1000000], got '2.5'");
  EXPECT_EQ(error_of_options({"--record", "3-1"}),
            "--record: steps must ascend, as in 0-3,100-103; got '3-1'");
  EXPECT_EQ(error_of_options(
                {"--workload", "mlp", "--learners", "1", "--steps", "4", "--out", "t", "--record", "2,4"}),
            "--record: step 4 is not among the steps 0 to 3 that are trained");
  EXPECT_EQ(error_of_options({"--seed", "1", "--seed", "2"}), "--seed: stands twice");
  EXPECT_EQ(error_of_options({"--learners", "1"}), "--workload is missing; see --help");
  EXPECT_EQ(error_of_options({"--device", "gpu"}),
            "--device: unknown device 'gpu'; did you mean 'cpu'?; known: auto, cpu, cuda");
  EXPECT_THAT(
      error_of_options({"--workload", "mpl"}),
      testing::StartsWith("--workload: unknown workload 'mpl'; did you mean 'mlp'?; known: mlp, convnet"));
  EXPECT_EQ(error_of_options({"--workload", R"({"name": "mlp", "momentum": 1})"}),
            "--workload:/momentum: must lie in [0, 1), got 1");
  EXPECT_EQ(error_of_options({"--workload", R"({"name": "mlp", "batch": 9, "samples_per_learner": 8})"}),
            "--workload: batch must not exceed samples_per_learner, got 9 and 8");
}

}  // namespace
}  // namespace traincast
