// The max-plus recursion as an engine for steps: a collective is calculated when it starts, and its ends are
// put into simulated time.
#pragma once

#include <deque>

#include "simulator/replay/max_plus_recursion.hpp"
#include "simulator/step/collective_engine.hpp"
#include "simulator/step/event_loop.hpp"

namespace traincast {

class MaxPlusEngine : public CollectiveEngine {
 public:
  /// Both must outlive this.
  MaxPlusEngine(EventLoop& loop, const Cluster& cluster, const Transport& transport)
      : loop_(loop), recursion_(cluster, transport), free_at_(cluster.hosts(), 0) {}

  /// Throws NotProven.
  void start(const Schedule& schedule, std::string name, std::function<void(Rank)> finished) override;

  const std::vector<Bytes>& sent_bytes() const override { return recursion_.sent_bytes(); }
  const std::vector<Bytes>& received_bytes() const override { return recursion_.received_bytes(); }
  std::uint64_t transfers() const override { return recursion_.transfers(); }
  std::vector<std::string> waiting() const override { return recursion_.waiting(); }
  const MaxPlusRecursion& recursion() const { return recursion_; }

 private:
  EventLoop& loop_;
  MaxPlusRecursion recursion_;
  std::vector<double> free_at_;                     // of each rank, from what it entered before
  std::deque<std::function<void(Rank)>> finished_;  // of each collective
};

}  // namespace traincast
