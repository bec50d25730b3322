#include "simulator/replay/fair_sharing.hpp"

#include <algorithm>
#include <functional>
#include <limits>

namespace traincast {

FairSharing::FairSharing(const std::vector<Link>& links) : links_(links.size()) {
  for (std::size_t i = 0; i < links.size(); ++i) links_[i].bandwidth = links[i].bandwidth;
}

FairSharing::FlowId FairSharing::start(std::span<const LinkId> links, double bytes, double now) {
  FlowId id;
  if (free_.empty()) {
    id = static_cast<FlowId>(flows_.size());
    flows_.emplace_back();
  } else {
    id = free_.back();
    free_.pop_back();
  }
  Flow& flow = flows_[id];
  flow.links.assign(links.begin(), links.end());
  flow.places.resize(links.size());
  flow.remaining = bytes;
  flow.rate = 0;
  flow.since = now;
  flow.end = std::numeric_limits<double>::infinity();
  flow.number = next_number_++;
  for (std::uint32_t i = 0; i < flow.links.size(); ++i) {
    LinkState& link = links_[flow.links[i]];
    flow.places[i] = static_cast<std::uint32_t>(link.members.size());
    link.members.push_back({id, i});
    mark_changed(flow.links[i]);
  }
  heap_.push_back(id);
  flow.heap_place = static_cast<std::uint32_t>(heap_.size() - 1);
  return id;
}

void FairSharing::mark_changed(LinkId link) {
  if (links_[link].changed) return;
  links_[link].changed = true;
  changed_.push_back(link);
}

void FairSharing::settle(double now) {
  ++search_;
  for (LinkId link : changed_) {
    links_[link].changed = false;
    if (links_[link].seen == search_ || links_[link].members.empty()) continue;
    collect_component(link);
    share_component(now);
  }
  changed_.clear();
}

void FairSharing::collect_component(LinkId from) {
  component_links_.assign(1, from);
  component_flows_.clear();
  links_[from].seen = search_;
  for (std::size_t next = 0; next < component_links_.size(); ++next)
    for (const Member& member : links_[component_links_[next]].members) {
      Flow& flow = flows_[member.flow];
      if (flow.seen == search_) continue;
      flow.seen = search_;
      flow.shared = false;
      component_flows_.push_back(member.flow);
      for (LinkId link : flow.links) {
        if (links_[link].seen == search_) continue;
        links_[link].seen = search_;
        component_links_.push_back(link);
      }
    }
}

// A link's share only grows while other links fix flows of it, so the heap may hold shares that are too
// small: those are put back.
void FairSharing::share_component(double now) {
  if (component_flows_.size() == 1) {
    double rate = std::numeric_limits<double>::infinity();
    for (LinkId link : component_links_) rate = std::min(rate, links_[link].bandwidth);
    set_rate(component_flows_.front(), rate, now);
    return;
  }
  constexpr auto later = std::greater<std::pair<double, LinkId>>();
  shares_.clear();
  for (LinkId id : component_links_) {
    LinkState& link = links_[id];
    link.left = link.bandwidth;
    link.unshared = static_cast<std::uint32_t>(link.members.size());
    shares_.push_back({link.left / link.unshared, id});
  }
  std::make_heap(shares_.begin(), shares_.end(), later);
  double level = 0;
  for (std::size_t unshared = component_flows_.size(); unshared > 0;) {
    std::pop_heap(shares_.begin(), shares_.end(), later);
    auto [known, id] = shares_.back();
    shares_.pop_back();
    LinkState& link = links_[id];
    if (link.unshared == 0) continue;
    double share = std::max(level, link.left / link.unshared);  // never less, not even by rounding
    if (share > known && !shares_.empty() && share > shares_.front().first) {
      shares_.push_back({share, id});
      std::push_heap(shares_.begin(), shares_.end(), later);
      continue;
    }
    level = share;
    for (const Member& member : link.members) {
      Flow& flow = flows_[member.flow];
      if (flow.shared) continue;
      flow.shared = true;
      --unshared;
      for (LinkId crossed : flow.links) {
        links_[crossed].left -= share;
        --links_[crossed].unshared;
      }
      set_rate(member.flow, share, now);
    }
  }
}

void FairSharing::set_rate(FlowId id, double rate, double now) {
  Flow& flow = flows_[id];
  if (rate == flow.rate) return;
  flow.remaining = std::max(0.0, flow.remaining - flow.rate * (now - flow.since));
  flow.since = now;
  flow.rate = rate;
  flow.end = now + flow.remaining / rate;
  move_up(flow.heap_place);
  move_down(flow.heap_place);
}

double FairSharing::next_end() const {
  return heap_.empty() ? std::numeric_limits<double>::infinity() : flows_[heap_.front()].end;
}

void FairSharing::take_ended(double now, std::vector<FlowId>& into) {
  double by = now + 4 * std::numeric_limits<double>::epsilon() * now;
  into.clear();
  while (!heap_.empty() && flows_[heap_.front()].end <= by) {
    into.push_back(heap_.front());
    remove(heap_.front());
  }
  std::sort(into.begin(), into.end(),
            [this](FlowId a, FlowId b) { return flows_[a].number < flows_[b].number; });
}

void FairSharing::remove(FlowId id) {
  Flow& flow = flows_[id];
  for (std::size_t i = 0; i < flow.links.size(); ++i) {
    std::vector<Member>& members = links_[flow.links[i]].members;
    std::uint32_t place = flow.places[i];
    members[place] = members.back();
    flows_[members[place].flow].places[members[place].which] = place;
    members.pop_back();
    mark_changed(flow.links[i]);
  }
  heap_remove(id);
  free_.push_back(id);
}

bool FairSharing::ends_before(FlowId a, FlowId b) const { return flows_[a].end < flows_[b].end; }

void FairSharing::put(std::uint32_t place, FlowId id) {
  heap_[place] = id;
  flows_[id].heap_place = place;
}

void FairSharing::move_up(std::uint32_t place) {
  FlowId id = heap_[place];
  for (; place > 0 && ends_before(id, heap_[(place - 1) / 2]); place = (place - 1) / 2)
    put(place, heap_[(place - 1) / 2]);
  put(place, id);
}

void FairSharing::move_down(std::uint32_t place) {
  FlowId id = heap_[place];
  for (;;) {
    std::size_t child = 2 * std::size_t{place} + 1;
    if (child >= heap_.size()) break;
    if (child + 1 < heap_.size() && ends_before(heap_[child + 1], heap_[child])) ++child;
    if (!ends_before(heap_[child], id)) break;
    put(place, heap_[child]);
    place = static_cast<std::uint32_t>(child);
  }
  put(place, id);
}

void FairSharing::heap_remove(FlowId id) {
  std::uint32_t place = flows_[id].heap_place;
  FlowId last = heap_.back();
  heap_.pop_back();
  flows_[id].heap_place = kNowhere;
  if (last == id) return;
  put(place, last);
  move_up(place);
  move_down(flows_[last].heap_place);
}

}  // namespace traincast
