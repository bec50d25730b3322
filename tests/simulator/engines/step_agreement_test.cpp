// Whole steps, drawn at random: buckets, phases, late learners, collectives of all kinds. Every engine gives
// the timeline that SimGrid gives.
#include <random>

#include "base/error.hpp"
#include "tests/simulator/engines/engine_support.hpp"

namespace traincast {
namespace {

class AnyStep {
 public:
  explicit AnyStep(unsigned seed) : random_(seed) {}

  StepProgram draw() {
    std::uint32_t learners = 2 + below(8);
    StepProgram program{learners, seconds(), seconds(), seconds() / 3, below(4) > 0, {}};
    for (unsigned b = 1 + below(4); b > 0; --b) {
      BucketProgram bucket{program.backward_s * below(100) / 99, {}};
      for (unsigned p = 1 + below(3); p > 0; --p) bucket.phases.push_back(phase(learners));
      program.buckets.push_back(bucket);
    }
    return program;
  }

 private:
  unsigned below(unsigned n) { return static_cast<unsigned>(random_() % n); }
  double seconds() { return std::uniform_real_distribution<double>(0, 1e-3)(random_); }

  PhaseProgram phase(std::uint32_t learners) {
    PhaseProgram phase;
    for (std::uint32_t learner = 0; learner < learners; ++learner) {
      phase.encode_s.push_back(seconds() / 5);
      phase.decode_s.push_back(below(2) * seconds() / 5);
    }
    phase.word = kWords[below(std::size(kWords))];
    phase.waits = below(4) > 0;
    Collective collective{.word = phase.word, .ranks = learners, .count = below(200'000)};
    if (phase.word == Word::all_gather || phase.word == Word::push_pull || phase.word == Word::neighbours)
      for (std::uint32_t learner = 0; learner < learners; ++learner)
        collective.bytes.push_back(below(300'000));
    if (phase.word == Word::all_to_all)
      for (std::uint32_t pair = 0; pair < learners * learners; ++pair)
        collective.bytes.push_back(below(30'000));
    if (phase.word == Word::sparse_all_reduce) {
      collective.count += 1;
      std::vector<std::vector<Index>> supports(learners);
      for (auto& support : supports)
        for (Index at = static_cast<Index>(below(50)); at < collective.count;
             at += 1 + static_cast<Index>(below(5'000)))
          support.push_back(at);
      collective.supports = std::make_shared<const std::vector<std::vector<Index>>>(std::move(supports));
    }
    if (phase.word == Word::broadcast) {
      collective.bytes = {below(300'000)};
      collective.root = below(learners);
    }
    auto entries = collective_catalog(phase.word).entries();
    const auto& entry = entries[below(static_cast<unsigned>(entries.size()))];
    bool can = entry.make.refuses(collective).empty();
    phase.schedule = can ? entry.make.schedule(collective) : entries[0].make.schedule(collective);
    return phase;
  }

  std::mt19937 random_;
};

void expect_same(const Timeline& measured, const Timeline& reference, const std::string& what) {
  constexpr double Timeline::*kTimes[] = {&Timeline::step_s,          &Timeline::compute_s,
                                          &Timeline::encode_s,        &Timeline::decode_s,
                                          &Timeline::communication_s, &Timeline::exposed_communication_s,
                                          &Timeline::wait_s,          &Timeline::busiest_link_s};
  for (auto time : kTimes) EXPECT_NEAR(measured.*time, reference.*time, 1e-9 * reference.step_s) << what;
  EXPECT_EQ(measured.sent_bytes, reference.sent_bytes) << what;
  EXPECT_EQ(measured.received_bytes, reference.received_bytes) << what;
  EXPECT_EQ(measured.tier_bytes, reference.tier_bytes) << what;
  EXPECT_EQ(measured.transfers, reference.transfers) << what;
}

// How many of 40 steps are proven for the recursion.
int compare_steps(const Topology& topology, unsigned seed) {
  AnyStep any(seed);
  int proven = 0;
  for (int i = 0; i < 40; ++i) {
    StepProgram program = any.draw();
    auto cluster = topology.build(program.learners);
    std::string what = "step " + std::to_string(i) + " of " + std::to_string(program.learners) + " learners";
    Timeline reference = replay_step(program, topology, Engine::simgrid);
    EXPECT_EQ(reference.engine, "simgrid");
    expect_same(replay_step_here(program, *cluster, Engine::flow), reference, "flow, " + what);
    Timeline fastest = replay_step(program, topology, Engine::automatic);
    expect_same(fastest, reference, fastest.engine + ", " + what);
    if (fastest.engine == "max_plus") ++proven;
  }
  return proven;
}

TEST(StepAgreement, OnAStar) { EXPECT_GE(compare_steps(*plain_star(), 1), 10); }
TEST(StepAgreement, OnNodesWithANicForEachGpu) { EXPECT_GE(compare_steps(*own_nics(), 2), 10); }
TEST(StepAgreement, OnNodesThatShareANic) { EXPECT_GE(compare_steps(*shared_nics(), 3), 5); }

}  // namespace
}  // namespace traincast
