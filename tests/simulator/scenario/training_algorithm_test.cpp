#include "simulator/training/training_algorithm.hpp"

#include <gtest/gtest.h>

namespace traincast {
namespace {

// The smallest algorithm that the interface allows: learners compute, then send once.
class OneExchange : public TrainingAlgorithm {
 public:
  void run(World& world, Clock& clock) override {
    for (LearnerId i = 0; i < world.learners(); ++i)
      clock.compute(i, {Primitive::elementwise, {world.layers()[0].numel()}});
    Op op;
    op.count = world.layers()[0].numel();
    clock.communicate(op);
    ++runs_;
  }
  void save(Writer& writer) const override { writer.put(runs_); }
  void load(Reader& reader) override { runs_ = reader.get<std::uint32_t>(); }

 private:
  std::uint32_t runs_ = 0;
};

class TwoLearners : public World {
 public:
  std::uint32_t learners() const override { return 2; }
  std::span<const TensorInfo> layers() const override { return layers_; }
  std::span<float> parameters(LearnerId) override { return values_; }
  void gradient(LearnerId, std::span<const float> at, std::span<float> into) override { into[0] = at[0]; }
  void advance(LearnerId) override {}

 private:
  std::vector<TensorInfo> layers_{{0, "w", {3}, "bias"}};
  std::vector<float> values_{1, 2, 3};
};

class CountingClock : public Clock {
 public:
  double now_s() const override { return now_; }
  void compute(LearnerId, const Work& work) override { now_ += work.weight(); }
  void communicate(const Op& op) override { now_ += static_cast<double>(op.contributed(2)); }

 private:
  double now_ = 0;
};

TEST(TrainingAlgorithm, RunsAgainstWorldAndClockAndResumes) {
  TwoLearners world;
  CountingClock clock;
  OneExchange algorithm, resumed;
  algorithm.run(world, clock);
  EXPECT_EQ(clock.now_s(), 2 * 3 + 2 * 3 * 4)
      << "two passes over three elements, two addends of three floats";
  Writer saved, again;
  algorithm.save(saved);
  Reader reader(saved.bytes());
  resumed.load(reader);
  resumed.save(again);
  EXPECT_EQ(again.bytes(), saved.bytes());
}

}  // namespace
}  // namespace traincast
