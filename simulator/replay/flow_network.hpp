// A network of its own: every transfer is a flow that waits for its route's latency and then has its fair
// share of each link that it crosses. The same model as SimGrid's, at a fraction of its cost, and any number
// of them in one process.
#pragma once

#include <vector>

#include "simulator/replay/event_queue.hpp"
#include "simulator/replay/fair_sharing.hpp"
#include "simulator/replay/link_traffic.hpp"
#include "simulator/replay/route_table.hpp"
#include "simulator/step/network.hpp"

namespace traincast {

class FlowNetwork : public Network {
 public:
  explicit FlowNetwork(const Cluster& cluster) : routes_(cluster), sharing_(cluster.links()) {}

  double now() const override { return now_; }
  void after(double seconds, std::function<void()> then) override;
  void transfer(const Crossing& crossing, std::function<void()> arrived) override;
  void run() override;
  std::vector<TierLoad> tier_loads() const override;

 private:
  struct Transfer {
    PathId path;
    Bytes load;
    std::function<void()> arrived;
  };

  void start_flow(std::uint32_t transfer);
  void end_flows();

  RouteTable routes_;
  FairSharing sharing_;
  LinkTraffic traffic_;
  EventQueue events_;
  double now_ = 0;
  std::vector<Transfer> transfers_;  // those under way, and free places
  std::vector<std::uint32_t> free_;
  std::vector<std::uint32_t> transfer_of_flow_;
  std::vector<FairSharing::FlowId> ended_;
};

}  // namespace traincast
