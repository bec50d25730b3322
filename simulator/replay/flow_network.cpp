#include "simulator/replay/flow_network.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace traincast {

void FlowNetwork::after(double seconds, std::function<void()> then) {
  events_.push(now_ + seconds, std::move(then));
}

void FlowNetwork::transfer(const Crossing& crossing, std::function<void()> arrived) {
  PathId path = routes_.id(crossing.from, crossing.to);
  traffic_.add(path, crossing.bytes);
  double latency = routes_[path].latency + crossing.latency_s;
  if (crossing.load == 0 || routes_[path].links == 0) return after(latency, std::move(arrived));
  std::uint32_t place;
  if (free_.empty()) {
    place = static_cast<std::uint32_t>(transfers_.size());
    transfers_.push_back({path, crossing.load, std::move(arrived)});
  } else {
    place = free_.back();
    free_.pop_back();
    transfers_[place] = {path, crossing.load, std::move(arrived)};
  }
  after(latency, [this, place] { start_flow(place); });
}

void FlowNetwork::start_flow(std::uint32_t transfer) {
  const Transfer& starting = transfers_[transfer];
  auto flow = sharing_.start(routes_.links(starting.path), static_cast<double>(starting.load), now_);
  if (flow >= transfer_of_flow_.size()) transfer_of_flow_.resize(flow + 1);
  transfer_of_flow_[flow] = transfer;
}

// Of what happens at one moment, what was asked for comes before arrivals, as in SimGrid.
void FlowNetwork::run() {
  for (;;) {
    while (events_.next_time() <= now_) events_.pop()();
    sharing_.settle(now_);
    double event = events_.next_time(), end = sharing_.next_end();
    if (std::isinf(event) && std::isinf(end)) return;
    now_ = std::max(now_, std::min(event, end));
    if (end < event) end_flows();
  }
}

void FlowNetwork::end_flows() {
  sharing_.take_ended(now_, ended_);
  for (auto flow : ended_) {
    std::uint32_t transfer = transfer_of_flow_[flow];
    auto arrived = std::exchange(transfers_[transfer].arrived, nullptr);
    free_.push_back(transfer);
    arrived();
  }
}

std::vector<TierLoad> FlowNetwork::tier_loads() const { return traffic_.tier_loads(routes_); }

}  // namespace traincast
