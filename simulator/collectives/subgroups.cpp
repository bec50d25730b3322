#include "simulator/collectives/subgroups.hpp"

#include <algorithm>
#include <utility>

#include "simulator/collectives/closed_forms.hpp"
#include "simulator/collectives/program_parts.hpp"

namespace traincast {

namespace {

class SideBySide final : public Schedule {
 public:
  SideBySide(std::vector<std::shared_ptr<const Schedule>> schedules, const Subgroups& members)
      : schedules_(std::move(schedules)), members_(members) {
    for (const auto& schedule : schedules_) {
      ranks_ += schedule->ranks();
      channels_ = std::max(channels_, schedule->channels());
    }
  }

  std::uint32_t ranks() const override { return ranks_; }
  std::uint32_t channels() const override { return channels_; }
  Program program(Rank rank, std::uint32_t channel) const override {
    std::uint32_t group = members_.group_of(rank);
    const Schedule& schedule = *schedules_[group];
    if (channel >= schedule.channels()) return steps({});
    return in_roles(schedule.program(members_.rank_of(rank), channel),
                    [members = members_, group](Rank role) { return members.learner(group, role); });
  }

 private:
  std::vector<std::shared_ptr<const Schedule>> schedules_;
  Subgroups members_;
  std::uint32_t ranks_ = 0, channels_ = 1;
};

}  // namespace

Collective part_of(const Collective& all, const Subgroups& members, std::uint32_t group) {
  Collective part = all;
  std::uint32_t ranks = members.size(all.ranks);
  part.ranks = ranks;
  part.group = 1;
  part.servers = 0;
  const std::size_t sizes = all.bytes.size() / all.ranks;  // that each learner has
  if (sizes > 0) {
    part.bytes.clear();
    for (Rank rank = 0; rank < ranks; ++rank) {
      auto own = all.bytes.begin() + static_cast<std::ptrdiff_t>(members.learner(group, rank) * sizes);
      part.bytes.insert(part.bytes.end(), own, own + static_cast<std::ptrdiff_t>(sizes));
    }
  }
  if (all.supports) {
    auto supports = std::make_shared<Supports>();
    for (Rank rank = 0; rank < ranks; ++rank)
      supports->push_back((*all.supports)[members.learner(group, rank)]);
    part.supports = std::move(supports);
  }
  return part;
}

// Of ranks behind one link, each is in another sub-group across nodes, and all of these send at once.
NetworkEstimate as_subgroups_see(const NetworkEstimate& network, const Subgroups& members) {
  if (members.among == Among::across) return {network.latency, network.bandwidth / network.sharing};
  bool one_node = std::max(network.sharing, network.node_size) % members.node_size == 0;
  return one_node ? within_node(network) : network;
}

std::unique_ptr<Schedule> side_by_side(std::vector<std::shared_ptr<const Schedule>> schedules,
                                       const Subgroups& members) {
  return std::make_unique<SideBySide>(std::move(schedules), members);
}

}  // namespace traincast
