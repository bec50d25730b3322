// Made data and shards.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <set>

#include "base/sha256.hpp"
#include "tests/support/refusal.hpp"
#include "workloads/data/shards.hpp"
#include "workloads/workload.hpp"

namespace traincast {
namespace {

Model model_named(const std::string& text) {
  Json json = Json::parse(text, "test");
  return workload_model(JsonReader(json, "test"));
}

std::unique_ptr<Dataset> data_of(const std::string& text, const Model& model, std::uint64_t seed = 1) {
  Json json = Json::parse(text, "data");
  return make_dataset(JsonReader(json, "data"), model, seed);
}

Batch sample(const Dataset& data, std::uint64_t index, Split split = Split::train) {
  Batch batch;
  data.append(split, index, batch);
  return batch;
}

TEST(MadeImages, DependOnSeedAndNumberAlone) {
  Model model = model_named(R"("mlp")");
  auto data = data_of(R"("images")", model, 3), again = data_of(R"("images")", model, 3);
  EXPECT_EQ(sample(*data, 7).features, sample(*again, 7).features);
  EXPECT_EQ(sample(*data, 7).labels[0], data->class_of(7));
  EXPECT_NE(sample(*data, 7).features, sample(*data, 8).features);
  EXPECT_NE(sample(*data, 7).features, sample(*data, 7, Split::test).features);
  EXPECT_NE(sample(*data, 7).features, sample(*data_of(R"("images")", model, 4), 7).features);
}

TEST(MadeImages, HaveZeroMeanUnitVarianceAndEvenClasses) {
  constexpr std::uint64_t count = 500;
  auto data = data_of(R"("images")", model_named(R"("mlp")"));
  double sum = 0, squares = 0;
  std::map<std::int64_t, int> of_class;
  for (std::uint64_t i = 0; i < count; ++i) {
    Batch made = sample(*data, i);
    ++of_class[made.labels[0]];
    for (float pixel : made.features) sum += double{pixel}, squares += double{pixel} * double{pixel};
  }
  double values = count * 3072.0;
  EXPECT_NEAR(sum / values, 0, 0.02);
  EXPECT_NEAR(squares / values, 1, 0.05);
  // Binomial with mean 50 and standard deviation 6.7: five of them.
  for (auto [label, times] : of_class) EXPECT_NEAR(times, count / 10.0, 34) << label;
}

TEST(MadeData, FitTheModelThatTakesThem) {
  const std::vector<std::pair<std::string, std::string>> pairs{
      {R"({"name": "resnet18", "side": 40, "classes": 7, "channels": 2})", R"("images")"},
      {R"({"name": "unet", "width": 2, "levels": 1, "side": 10, "classes": 3})", R"("masks")"},
      {R"({"name": "lstm_speech", "features": 5, "length": 9, "classes": 4})", R"("frames")"},
      {R"({"name": "ncf", "users": 9, "items": 5})", R"("ratings")"},
      {R"({"name": "lstm_words", "vocabulary": 300, "length": 6})", R"("grammar")"},
      {R"({"name": "gru_classifier", "classes": 3, "vocabulary": 40})",
       R"({"name": "grammar", "topics": 3})"},
      {R"({"name": "bert", "vocabulary": 40, "length": 12, "layers": 1})", R"("grammar")"},
      {R"({"name": "transformer", "vocabulary": 40, "length": 6, "layers": 1})", R"("grammar")"}};
  for (const auto& [workload, source] : pairs) {
    Model model = model_named(workload);
    auto data = data_of(source, model);
    EXPECT_TRUE(data->describe().at("made").flag()) << source;
    for (Split split : {Split::train, Split::test})
      for (std::uint64_t index : {std::uint64_t{0}, std::uint64_t{1}, data->size(split) - 1}) {
        Batch made = sample(*data, index, split);
        std::int64_t size = 1;
        for (std::int64_t extent : model.input.shape) size *= extent;
        const auto& ranges = model.input.ranges;
        EXPECT_EQ(made.samples, 1u);
        EXPECT_EQ(std::ssize(made.features), ranges.empty() ? size : 0) << workload;
        EXPECT_EQ(std::ssize(made.numbers), ranges.empty() ? 0 : size) << workload;
        for (std::size_t i = 0; i < made.numbers.size(); ++i) {
          EXPECT_GE(made.numbers[i], 0) << workload;
          EXPECT_LT(made.numbers[i], ranges[ranges.size() > 1 ? i : 0]) << workload;
        }
        ASSERT_EQ(std::ssize(made.labels), model.labels()) << workload;
        std::size_t at = 0;
        for (const Loss& loss : model.losses)
          for (std::int64_t row = 0; row < loss.rows; ++row) {
            std::int64_t label = made.labels[at++];
            EXPECT_TRUE(label == kNoLabel || (label >= 0 && label < std::max<std::int64_t>(2, loss.classes)));
          }
      }
  }
}

TEST(MadeData, AreRefusedWhereTheModelTakesOthers) {
  EXPECT_EQ(
      refusal([] { data_of(R"("images")", model_named(R"("lstm_words")")); }),
      "procedural images: samples are 3x32x32 in 10000 classes; the model takes numbers, not features (its "
      "side, channels and classes are parameters)");
  EXPECT_EQ(refusal([] { data_of(R"("ratings")", model_named(R"("mlp")")); }),
            "procedural ratings: the model does not take a user and an item");
  EXPECT_EQ(refusal([] { data_of(R"("grammar")", model_named(R"("mlp")")); }),
            "the data are text, and the model does not take a sequence of tokens");
  EXPECT_EQ(
      refusal([] { data_of(R"("grammar")", model_named(R"({"name": "gru_classifier", "classes": 5})")); }),
      "the text has 2 documents, which are its classes; the model has 5: set classes");
}

/// A hundred samples of each of ten classes, one class behind the other.
class Sorted final : public Dataset {
 public:
  std::uint64_t size(Split) const override { return 1000; }
  void append(Split, std::uint64_t index, Batch& into) const override {
    into.labels.push_back(class_of(index));
    ++into.samples;
  }
  std::int64_t classes() const override { return 10; }
  std::int64_t class_of(std::uint64_t index) const override { return static_cast<std::int64_t>(index / 100); }
  Json describe() const override { return {}; }
};

/// Every sample of every learner's first epoch.
std::vector<std::vector<std::uint64_t>> epoch_of(const Shards& shards, std::uint32_t learners,
                                                 std::uint64_t steps) {
  std::vector<std::vector<std::uint64_t>> all(learners);
  for (LearnerId learner = 0; learner < learners; ++learner)
    for (std::uint64_t step = 0; step < steps; ++step)
      for (std::uint64_t index : shards.sample_indices(learner, step)) all[learner].push_back(index);
  return all;
}

std::size_t different(const std::vector<std::vector<std::uint64_t>>& shards) {
  std::set<std::uint64_t> seen;
  for (const auto& shard : shards) seen.insert(shard.begin(), shard.end());
  return seen.size();
}

/// Of each learner, how many classes it has samples of.
std::vector<std::size_t> classes_of_each(const Dataset& data,
                                         const std::vector<std::vector<std::uint64_t>>& shards) {
  std::vector<std::size_t> held;
  for (const auto& shard : shards) {
    std::set<std::int64_t> classes;
    for (std::uint64_t index : shard) classes.insert(data.class_of(index));
    held.push_back(classes.size());
  }
  return held;
}

double classes_held(const Dataset& data, const std::vector<std::vector<std::uint64_t>>& shards) {
  const auto held = classes_of_each(data, shards);
  return std::accumulate(held.begin(), held.end(), 0.0) / static_cast<double>(held.size());
}

TEST(Shards, AreDisjointHoweverTheyAreDealt) {
  Sorted data;
  for (ShardRule rule :
       {ShardRule{}, ShardRule{ShardRule::Kind::dirichlet, 0.1, 0},
        ShardRule{ShardRule::Kind::dirichlet, 100, 0}, ShardRule{ShardRule::Kind::classes, 0, 2}}) {
    Shards shards(data, rule, 20, 50, 10, 7);
    auto all = epoch_of(shards, 20, 5);
    EXPECT_EQ(different(all), 1000u);
    EXPECT_EQ(epoch_of(Shards(data, rule, 20, 50, 10, 7), 20, 5), all);
    EXPECT_NE(epoch_of(Shards(data, rule, 20, 50, 10, 8), 20, 5), all);
  }
}

TEST(Shards, HoldAsManyClassesAsTheirRuleSays) {
  Sorted data;
  auto held = [&](ShardRule rule, std::uint32_t learners) {
    return classes_held(data, epoch_of(Shards(data, rule, learners, 50, 10, 7), learners, 5));
  };
  EXPECT_GT(held({}, 10), 9.5);
  EXPECT_GT(held({ShardRule::Kind::dirichlet, 100, 0}, 10), 9);
  EXPECT_LT(held({ShardRule::Kind::dirichlet, 0.1, 0}, 10), 5);
  EXPECT_LT(held({ShardRule::Kind::dirichlet, 0.001, 0}, 4), 2);
  // Pieces of 25 fit into classes of 100: never more than two classes.
  EXPECT_LE(held({ShardRule::Kind::classes, 0, 2}, 20), 2);
  EXPECT_EQ(held({ShardRule::Kind::classes, 0, 1}, 20), 1);
}

TEST(Shards, ByClassOfEndlessDataNeverHaveMoreClassesThanAllowed) {
  auto data = data_of(R"("images")", model_named(R"("mlp")"));
  for (std::uint64_t classes : {1, 2, 5})
    for (std::uint32_t learners : {1, 3, 7, 8, 64}) {
      auto all =
          epoch_of(Shards(*data, {ShardRule::Kind::classes, 0, classes}, learners, 20, 10, 7), learners, 2);
      EXPECT_EQ(different(all), learners * 20u);
      EXPECT_THAT(classes_of_each(*data, all), testing::Each(testing::Le(classes)))
          << learners << " learners, " << classes << " classes";
    }
}

TEST(Shards, OfALearnerDoNotDependOnTheOthersWhereClassesAreEven) {
  Sorted data;
  EXPECT_EQ(Shards(data, {}, 2, 50, 10, 7).sample_indices(1, 3),
            Shards(data, {}, 20, 50, 10, 7).sample_indices(1, 3));
}

TEST(Shards, OfEndlessDataLieOneBehindTheOther) {
  auto data = data_of(R"("images")", model_named(R"("mlp")"));
  Shards shards(*data, {}, 4, 12, 4, 5);
  for (LearnerId learner : {0u, 3u}) {
    std::set<std::uint64_t> seen;
    for (std::uint64_t step = 3; step < 6; ++step)
      for (std::uint64_t index : shards.sample_indices(learner, step)) EXPECT_TRUE(seen.insert(index).second);
    EXPECT_EQ(*seen.begin(), learner * 12);
    EXPECT_EQ(*seen.rbegin(), learner * 12 + 11);
  }
}

TEST(Shards, AreWalkedInANewOrderEveryEpochAndLeaveOutWhatFillsNoMiniBatch) {
  Sorted data;
  Shards whole(data, {}, 1, 100, 100, 5), part(data, {}, 2, 10, 4, 5);
  EXPECT_NE(whole.sample_indices(0, 0), whole.sample_indices(0, 1));
  EXPECT_EQ(whole.sample_indices(0, 1), whole.sample_indices(0, 1));
  EXPECT_EQ(different({epoch_of(part, 2, 2)[1]}), 8u);
}

TEST(Shards, FillABatchWithTheirSamples) {
  auto data = data_of(R"("images")", model_named(R"("mlp")"));
  Shards shards(*data, {}, 2, 10, 2, 5);
  Batch batch;
  shards.fill(0, 0, batch);
  shards.fill(1, 3, batch);
  auto indices = shards.sample_indices(1, 3);
  EXPECT_EQ(batch.samples, 2u);
  EXPECT_EQ(batch.step, 3u);
  EXPECT_EQ(batch.learner, 1u);
  ASSERT_EQ(batch.features.size(), 2u * 3072);
  for (std::size_t i = 0; i < 2; ++i) {
    Batch made = sample(*data, indices[i]);
    EXPECT_EQ(batch.labels[i], made.labels[0]);
    EXPECT_TRUE(std::equal(made.features.begin(), made.features.end(),
                           batch.features.begin() + static_cast<std::ptrdiff_t>(3072 * i)));
  }
}

TEST(Shards, AreRefusedWhereTheDataDoNotSuffice) {
  Sorted data;
  EXPECT_EQ(
      refusal([&] { Shards(data, {}, 8, 200, 8, 1); }),
      "the data have 1000 samples, and 8 learners with samples_per_learner 200 take 1600; take at most 125 "
      "each (of text, a smaller stride gives more)");
  EXPECT_EQ(refusal([&] {
              Shards(data, {ShardRule::Kind::classes, 0, 3}, 8, 50, 8, 1);
            }),
            "shards by class cut samples_per_learner into equal pieces: 50 is not a multiple of 3");
  // Of each of ten classes, 100 samples make one piece of 60, or two of 50.
  EXPECT_EQ(
      refusal([&] {
        Shards(data, {ShardRule::Kind::classes, 0, 1}, 12, 60, 8, 1);
      }),
      "shards of at most 1 class take 12 pieces of 60 samples of one class, and the data have 10; take at "
      "most 10 learners, or samples_per_learner 50");
  auto ratings = data_of(R"("ratings")", model_named(R"("ncf")"));
  EXPECT_EQ(refusal([&] {
              Shards(*ratings, {ShardRule::Kind::dirichlet, 1, 0}, 8, 50, 8, 1);
            }),
            "shards by class need data whose samples have classes, and these have none: take \"iid\"");
}

double rate(const std::string& schedule, std::uint64_t step) {
  Json json = Json::parse(schedule, "test");
  return read_schedule(JsonReader(json, "test"))(step);
}

TEST(RateSchedules, FollowTheirDefinitions) {
  EXPECT_EQ(rate(R"("constant")", 1000), 1);
  EXPECT_EQ(rate(R"({"name": "constant", "warmup": 4})", 0), 0.25);
  EXPECT_EQ(rate(R"({"name": "constant", "warmup": 4})", 3), 1);
  const std::string steps = R"({"name": "steps", "at": [10, 20], "factor": 0.5})";
  EXPECT_EQ(rate(steps, 9), 1);
  EXPECT_EQ(rate(steps, 10), 0.5);
  EXPECT_EQ(rate(steps, 20), 0.25);
  const std::string cosine = R"({"name": "cosine", "length": 100})";
  EXPECT_EQ(rate(cosine, 0), 1);
  EXPECT_NEAR(rate(cosine, 50), 0.5, 1e-15);
  EXPECT_EQ(rate(cosine, 200), 0);
  const std::string inverse = R"({"name": "inverse_sqrt", "warmup": 4})";
  EXPECT_EQ(rate(inverse, 1), 0.5);
  EXPECT_EQ(rate(inverse, 15), 0.5);
}

}  // namespace
}  // namespace traincast
