// Topologies by the door that scenarios use, and schedules written down action by action.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "platforms/topology.hpp"
#include "simulator/collectives/collective_catalog.hpp"
#include "simulator/collectives/schedule.hpp"
#include "tests/platforms/platform_helpers.hpp"

namespace traincast {

/// 1 GB/s and 10 us per link, so that a path has a latency of 20 us.
inline std::unique_ptr<Topology> plain_star() {
  return make_topology(R"({"name": "star", "bandwidth": "1GBps", "latency": "10us"})");
}
constexpr double kAlpha = 20e-6;
constexpr double kBeta = 1e-9;

class WrittenSchedule : public Schedule {
 public:
  explicit WrittenSchedule(std::vector<std::vector<Action>> actions) : actions_(std::move(actions)) {}
  std::uint32_t ranks() const override { return static_cast<std::uint32_t>(actions_.size()); }
  std::unique_ptr<RankProgram> program(Rank rank, std::uint32_t) const override {
    return std::make_unique<Program>(actions_[rank]);
  }

 private:
  class Program : public RankProgram {
   public:
    explicit Program(const std::vector<Action>& actions) : actions_(actions) {}
    bool next(Action& action) override {
      if (at_ == actions_.size()) return false;
      action = actions_[at_++];
      return true;
    }

   private:
    const std::vector<Action>& actions_;
    std::size_t at_ = 0;
  };
  std::vector<std::vector<Action>> actions_;
};

inline Action send(Rank to, Bytes bytes) { return {Action::Kind::send, to, 0, bytes, bytes}; }
inline Action receive(Rank from, Bytes bytes) { return {Action::Kind::receive, from, 0, bytes, bytes}; }

inline std::unique_ptr<Schedule> make_schedule(const std::string& algorithm, const Collective& collective) {
  return choose_algorithm(algorithm, collective, {}).make.schedule(collective);
}

}  // namespace traincast
