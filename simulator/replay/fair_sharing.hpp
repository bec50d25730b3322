// Max-min fair shares of links among flows: every flow gets as much as its narrowest link can give each of
// its flows, and what one leaves the others divide. Bertsekas and Gallager 1992, Data networks, section 6.5.2
// ("progressive filling"), carried out only for the flows that a change can reach.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "platforms/cluster.hpp"

namespace traincast {

class FairSharing {
 public:
  using FlowId = std::uint32_t;

  explicit FairSharing(const std::vector<Link>& links);

  /// The bytes are at least one, and so are the links. Rates hold after the next settle.
  FlowId start(std::span<const LinkId> links, double bytes, double now);

  /// Shares anew what starts and ends since the last call have changed.
  void settle(double now);

  /// When the first flow ends, if nothing changes until then; infinite without flows.
  double next_end() const;

  /// Removes the flows that end by now, and those that end later by rounding only; in the order in which they
  /// started.
  void take_ended(double now, std::vector<FlowId>& into);

 private:
  static constexpr std::uint32_t kNowhere = UINT32_MAX;

  struct Flow {
    std::vector<LinkId> links;
    std::vector<std::uint32_t> places;  // in the member lists of its links
    double remaining = 0, rate = 0, since = 0, end = 0;
    std::uint64_t number = 0;
    std::uint32_t heap_place = kNowhere;
    std::uint64_t seen = 0;  // by the component search of that number
    bool shared = false;     // has its new rate
  };
  struct Member {
    FlowId flow;
    std::uint32_t which;  // of the flow's links
  };
  struct LinkState {
    double bandwidth = 0;
    std::vector<Member> members;
    bool changed = false;
    std::uint64_t seen = 0;
    double left = 0;             // of the bandwidth, while sharing
    std::uint32_t unshared = 0;  // flows
  };

  void mark_changed(LinkId link);
  void collect_component(LinkId from);
  void share_component(double now);
  void set_rate(FlowId id, double rate, double now);
  void remove(FlowId id);

  // The heap of flows by end.
  bool ends_before(FlowId a, FlowId b) const;
  void put(std::uint32_t place, FlowId id);
  void move_up(std::uint32_t place);
  void move_down(std::uint32_t place);
  void heap_remove(FlowId id);

  std::vector<LinkState> links_;
  std::vector<Flow> flows_;
  std::vector<FlowId> free_, heap_;
  std::vector<LinkId> changed_;
  std::uint64_t next_number_ = 0, search_ = 0;
  std::vector<LinkId> component_links_;
  std::vector<FlowId> component_flows_;
  std::vector<std::pair<double, LinkId>> shares_;
};

}  // namespace traincast
