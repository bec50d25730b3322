// traincast's own gate: it covers every method, holds, and one byte more in one message opens it.
#include <gtest/gtest.h>

#include <set>
#include <string>

#include "analysis/gate.hpp"
#include "compressors/codec.hpp"
#include "compressors/compressor_catalog.hpp"
#include "compressors/gathered.hpp"
#include "simulator/pass/compression_pass.hpp"
#include "simulator/run.hpp"
#include "tests/simulator/run/run_helpers.hpp"

namespace traincast {
namespace {

const std::string kGate = std::string(TRAINCAST_SOURCE_DIR) + "/tests/gate/";

Baseline gate_baseline() {
  return read_baseline(Json::read_file(kGate + "baseline.json"), kGate + "baseline.json");
}

TEST(GateScenario, HasEveryMethodOfTheCatalogAndSoHasItsBaseline) {
  std::set<std::string> run, kept;
  for (const Point& point : read_plan(kGate + "scenario.json", {}).points)
    run.emplace(point.scenario.compressor.entry->name);
  for (const PointNumbers& point : gate_baseline().points) kept.insert(point.compressor);
  const std::string update =
      "\n  build/ci/bin/traincast check tests/gate/baseline.json --update 'the method is new'\n";
  for (const std::string& name : compressor_catalog().names()) {
    EXPECT_TRUE(run.contains(name))
        << "the gate does not run '" << name
        << "' yet. Add one line under \"/compressor\" of tests/gate/scenario.json:\n  {\"name\": \"" << name
        << "\"}\nwith the parameters that it requires, then\n"
        << update;
    EXPECT_TRUE(!run.contains(name) || kept.contains(name))
        << "the gate's baseline lacks '" << name << "'. Take it up:\n"
        << update;
  }
}

// Tensors go over threads: whatever their number, every method sends the same and errs the same.
TEST(GateScenario, GivesTheSameExchangesForAnyNumberOfThreads) {
  const TraceReader trace(kGate + "trace", 1);
  for (const Point& point : read_plan(kGate + "scenario.json", {}).points) {
    Scenario scenario = point.scenario;
    scenario.steps = 2;
    const ExchangeRecord one = run_compression(scenario, trace, 1),
                         three = run_compression(scenario, trace, 3);
    ASSERT_EQ(one.steps.size(), 2u);
    for (std::size_t s = 0; s < 2; ++s) {
      SCOPED_TRACE(std::string(scenario.compressor.entry->name) + ", step " + std::to_string(s));
      const StepRecord &a = one.steps[s], &b = three.steps[s];
      EXPECT_EQ(a.buckets, b.buckets);
      EXPECT_EQ(a.error_square, b.error_square);
      EXPECT_EQ(a.residual_square, b.residual_square);
      EXPECT_EQ(a.memory_square, b.memory_square);
      EXPECT_EQ(a.union_by_hop, b.union_by_hop);
      EXPECT_EQ(a.tensor_bytes, b.tensor_bytes);
    }
  }
}

TEST(AllCompressors, SweepsEveryMethodOfTheCatalog) {
  const std::string file = std::string(TRAINCAST_SOURCE_DIR) + "/simulator/scenarios/all-compressors.json";
  std::set<std::string> run;
  for (const Point& point : read_plan(file, {}).points) run.emplace(point.scenario.compressor.entry->name);
  for (const std::string& name : compressor_catalog().names())
    EXPECT_TRUE(run.contains(name)) << "add a line for '" << name << "' to " << file;
}

// The method at this place of the plan, whose messages are one byte longer where `is_longer` says so.
const Entry<MakeCompressor>* longer_method = nullptr;
bool is_longer(const Call& call) {
  return call.learner == 3 && call.step == 2 && call.unit.tensors[0].id == 0;
}

class OneByteMore : public Codec {
 public:
  explicit OneByteMore(std::unique_ptr<Compressor> method) : method_(std::move(method)) {}

  Message encode(std::span<const float> values, const Call& call) override {
    Message message = method_->codec()->encode(values, call);
    if (is_longer(call)) message.push_back(std::byte{0});
    return message;
  }
  Decoded decode(std::span<const std::byte> message, const Call& call) const override {
    return method_->codec()->decode(message.first(message.size() - is_longer(call)), call);
  }
  Bytes value_bytes(const Message& message, const Call& call) const override {
    return method_->codec()->value_bytes(Message(message.begin(), message.end() - is_longer(call)), call);
  }
  std::vector<Work> encode_work(std::uint64_t numel) const override {
    return method_->codec()->encode_work(numel);
  }
  std::vector<Work> decode_work(std::uint64_t numel, std::uint32_t learners) const override {
    return method_->codec()->decode_work(numel, learners);
  }
  void save(Writer& writer) const override { method_->codec()->save(writer); }
  void load(Reader& reader) override { method_->codec()->load(reader); }

 private:
  std::unique_ptr<Compressor> method_;
};

std::unique_ptr<Compressor> make_longer(const Parameters& parameters, std::uint64_t seed) {
  auto method = longer_method->make(parameters, seed);
  Coupling coupling = method->coupling();
  ErrorRule rule = method->error_rule();
  return make_gathered(std::make_unique<OneByteMore>(std::move(method)), coupling, rule, seed);
}

// The verdict on a plan of one point, against its own point of the baseline.
GateVerdict check_alone(const Plan& plan) {
  ReportNumbers numbers = read_report(to_json(quiet_run(plan).report), "the report");
  Baseline baseline = gate_baseline();
  std::erase_if(baseline.points,
                [&](const PointNumbers& point) { return point.identity != numbers.points[0].identity; });
  return check_against(baseline, numbers, true);
}

TEST(GateScenario, FailsWhenOneByteOfOneMessageIsAddedAndPassesWithoutIt) {
  Plan all = read_plan(kGate + "scenario.json", {});
  int tried = 0;
  for (const char* name : {"topk", "terngrad", "dettmers8"})
    for (const Point& point : all.points) {
      if (point.scenario.compressor.entry->name != name) continue;
      SCOPED_TRACE(name);
      ++tried;
      Plan plan = all;
      plan.points = {point};
      EXPECT_TRUE(check_alone(plan).passed()) << to_text(check_alone(plan));

      longer_method = point.scenario.compressor.entry;
      Entry<MakeCompressor> longer = *longer_method;
      longer.make = make_longer;
      plan.points[0].scenario.compressor.entry = &longer;
      GateVerdict verdict = check_alone(plan);
      ASSERT_EQ(verdict.points.size(), 1u);
      EXPECT_EQ(verdict.points[0].state, PointVerdict::State::moved) << to_text(verdict);
      bool bytes_moved = false;
      for (const Move& move : verdict.points[0].moves) {
        EXPECT_NE(move.key, "contraction") << "what is applied is the same";
        // A byte of one of eight messages in one of four steps reaches seven learners, over two links each.
        double change = move.now.value_or(0) - move.before.value_or(0);
        bytes_moved = bytes_moved || move.key == "bytes_sent_per_learner";
        if (move.key == "bytes_sent_per_learner") {
          EXPECT_DOUBLE_EQ(change, 7.0 / 8 / 4);
        } else if (move.key == "tier_bytes.network") {
          EXPECT_DOUBLE_EQ(change, 2 * 7.0 / 4);
        }
      }
      EXPECT_TRUE(bytes_moved) << to_text(verdict);

      plan.points = {point};
      EXPECT_TRUE(check_alone(plan).passed()) << "without it again";
    }
  EXPECT_EQ(tried, 3);
}

}  // namespace
}  // namespace traincast
