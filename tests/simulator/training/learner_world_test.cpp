#include "simulator/training/learner_world.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <set>

#include "base/error.hpp"
#include "base/programs.hpp"
#include "tests/simulator/training/training_helpers.hpp"
#include "tests/support/scratch_folder.hpp"
#include "workloads/trace/trace.hpp"

namespace traincast {
namespace {

using testing::ElementsAreArray;
using testing::HasSubstr;

std::vector<float> copy(std::span<const float> values) { return {values.begin(), values.end()}; }

struct AllGradients {
  std::vector<std::vector<float>> gradients;
  std::vector<double> losses;
};

// Of all learners' mini-batch at the initial parameters, in vectors 1, 2 and 3.
AllGradients all_gradients(World& world, std::uint64_t batch) {
  world.initial(world.vector(0));
  std::vector<Pass> passes;
  for (LearnerId i = 0; i < world.learners(); ++i)
    passes.push_back({i, batch, world.vector(0), world.vector(1 + i)});
  AllGradients all;
  all.losses = world.gradients(passes);
  for (const Pass& pass : passes) all.gradients.push_back(copy(pass.into));
  return all;
}

TEST(LearnerWorld, GivesTheGradientsThatCaptureRecords) {
  ScratchFolder folder;
  std::string trace = folder / "trace";
  WorldOptions options = world_options(4);
  ProgramEnd end = run_program({{options.program, "--workload", options.workload, "--learners", "3",
                                 "--steps", "1", "--seed", "1", "--out", trace, "--quiet"},
                                "",
                                ""});
  ASSERT_EQ(end.code, 0);
  LearnerWorld world(options);
  AllGradients all = all_gradients(world, 0);
  TraceReader reader(trace, 1);
  for (LearnerId i = 0; i < 3; ++i) {
    std::span<const float> left = all.gradients[i];
    for (const TensorInfo& layer : options.layers) {
      std::vector<float> recorded(layer.numel());
      reader.read(0, i, layer.id, recorded);
      double difference = 0, square = 0;
      for (std::size_t e = 0; e < recorded.size(); ++e) {
        difference += std::pow(double{left[e]} - double{recorded[e]}, 2);
        square += std::pow(double{recorded[e]}, 2);
      }
      // Products may round elsewhere, for tensors begin at other addresses.
      EXPECT_LE(difference, 1e-12 * square) << layer.name << " of learner " << i;
      left = left.subspan(layer.numel());
    }
  }
}

TEST(LearnerWorld, DoesNotDependOnThreadsNorOnWhatWasAskedBefore) {
  AllGradients once, again;
  {
    LearnerWorld world(world_options(4, 1));
    once = all_gradients(world, 5);
  }
  LearnerWorld world(world_options(4, 3));
  all_gradients(world, 1);
  again = all_gradients(world, 5);
  EXPECT_EQ(again.gradients, once.gradients);
  EXPECT_EQ(again.losses, once.losses);
  EXPECT_NE(all_gradients(world, 6).gradients, once.gradients) << "another mini-batch";
}

TEST(LearnerWorld, ComputesAtTheParametersThatAPassNames) {
  // Two passes of one learner over one mini-batch, at different parameters, in one question.
  LearnerWorld world(world_options(4));
  world.initial(world.vector(0));
  std::span<float> moved = world.vector(1);
  std::ranges::copy(world.vector(0), moved.begin());
  moved.back() += 0.5f;  // the bias of the last class
  std::vector<Pass> passes{{2, 0, world.vector(0), world.vector(2)}, {2, 0, moved, world.vector(3)}};
  std::vector<double> losses = world.gradients(passes);
  // d loss / d bias lies between the two passes' gradients of that bias, for the loss is convex in it.
  double slope = (losses[1] - losses[0]) / 0.5;
  EXPECT_GE(slope, double{world.vector(2).back()} - 1e-6);
  EXPECT_LE(slope, double{world.vector(3).back()} + 1e-6);
  EXPECT_LT(world.vector(2).back(), world.vector(3).back());
}

// Of three mini-batches, the last of an epoch and the first two of the next.
TEST(LearnerWorld, TakesSeveralMiniBatchesAsOne) {
  LearnerWorld world(world_options(5));
  world.initial(world.vector(0));
  std::vector<Pass> passes{{1, 2, world.vector(0), world.vector(1), 3}};
  for (std::uint64_t b = 0; b < 3; ++b) passes.push_back({1, 2 + b, world.vector(0), world.vector(2 + b)});
  std::vector<double> losses = world.gradients(passes);
  EXPECT_NEAR(losses[0], (losses[1] + losses[2] + losses[3]) / 3, 1e-6);
  double difference = 0, square = 0;
  for (std::size_t e = 0; e < world.vector(1).size(); ++e) {
    double mean = 0;
    for (std::size_t b = 0; b < 3; ++b) mean += double{world.vector(2 + b)[e]} / 3;
    difference += std::pow(double{world.vector(1)[e]} - mean, 2);
    square += mean * mean;
  }
  EXPECT_LE(difference, 1e-10 * square);
}

// A gradient pulls upwards the scores of the classes that its mini-batch has, and of them alone. Of 20
// learners with 40 samples each, 80 of a class in all, most have a class to themselves where labels are
// skewed.
TEST(LearnerWorld, TrainsOnShardsOfSkewedLabels) {
  auto of_one_class = [](const std::string& shards) {
    WorldOptions options = world_options(21);
    options.learners = 20;
    options.workload =
        R"({"name": "mlp", "hidden": [8], "batch": 10, "samples_per_learner": 40, "shards": )" + shards + "}";
    LearnerWorld world(options);
    std::size_t learners = 0;
    for (const std::vector<float>& gradient : all_gradients(world, 0).gradients)
      learners +=
          std::ranges::count_if(std::span(gradient).last(10), [](float bias) { return bias < 0; }) == 1;
    return learners;
  };
  EXPECT_GE(of_one_class(R"({"name": "classes", "classes": 1})"), 10u);
  EXPECT_GE(of_one_class(R"({"name": "dirichlet", "alpha": 0.001})"), 10u);
  EXPECT_EQ(of_one_class(R"("iid")"), 0u);
}

TEST(LearnerWorld, EvaluatesOnSamplesThatNoLearnerSees) {
  LearnerWorld world(world_options(1, 2));
  world.initial(world.vector(0));
  Evaluation few = world.evaluate(world.vector(0), 40), more = world.evaluate(world.vector(0), 600);
  EXPECT_NE(few.loss, more.loss);
  EXPECT_NEAR(more.loss, std::log(10), 1.0) << "ten classes, nothing learned";
  EXPECT_NEAR(more.accuracy * 600, std::round(more.accuracy * 600), 1e-9);
  EXPECT_EQ(world.evaluate(world.vector(0), 40).loss, few.loss);
  std::ranges::fill(world.vector(0), 0.0f);
  EXPECT_NEAR(world.evaluate(world.vector(0), 600).loss, std::log(10), 1e-6) << "all scores are equal";
}

TEST(LearnerWorld, TellsHowItsProcessEnded) {
  LearnerWorld world(world_options(1));
  ASSERT_EQ(kill(world.process(), SIGKILL), 0);
  for (int again = 0; again < 2; ++again) try {
      world.initial(world.vector(0));
      FAIL() << "nobody is there to answer";
    } catch (const SimulationError& error) {
      EXPECT_THAT(error.what(), HasSubstr(again == 0 ? "traincast-capture was ended by signal 9 (Killed)"
                                                     : "traincast-capture has ended"));
    }
}

TEST(LearnerWorld, PassesOnWhatItsProcessRefuses) {
  WorldOptions options = world_options(1);
  options.workload = R"({"name": "mlp", "batch": 0})";
  LearnerWorld world(options);
  try {
    world.initial(world.vector(0));
    FAIL();
  } catch (const InputError& error) {
    EXPECT_THAT(error.what(), HasSubstr("traincast-capture refused what it was started with"));
  }
}

TEST(LearnerWorld, RefusesMiniBatchesThatGrowBeyondTheMemory) {
  LearnerWorld world(world_options(2));
  world.initial(world.vector(0));
  const Pass pass{0, 0, world.vector(0), world.vector(1), 1u << 30};
  try {
    world.gradients({{pass}});
    FAIL();
  } catch (const InputError& error) {
    EXPECT_THAT(error.what(), HasSubstr("for activations of"));
    EXPECT_THAT(error.what(), HasSubstr("are available; take a smaller batch"));
  }
}

TEST(LearnerWorld, LeavesNoProcessAndNoMemoryBehind) {
  auto open_files = [] {
    std::set<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd"))
      names.insert(entry.path().filename());
    return names;
  };
  auto before = open_files();
  pid_t process = 0;
  {
    LearnerWorld world(world_options(1));
    process = world.process();
    world.initial(world.vector(0));
    EXPECT_NE(open_files(), before);
  }
  EXPECT_EQ(open_files(), before);
  EXPECT_EQ(kill(process, 0), -1);
}

TEST(LearnerService, RunsForAnotherProgramOnly) {
  ScratchFolder folder;
  std::string log = folder / "log";
  ProgramEnd end =
      run_program({{kCaptureProgram, "--serve", "--workload", "mlp", "--learners", "1"}, "", log});
  EXPECT_EQ(end.code, kBadInput);
}

}  // namespace
}  // namespace traincast
