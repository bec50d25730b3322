#include "simulator/replay/max_plus_recursion.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "simulator/replay/ring_recursion.hpp"
#include "simulator/step/exchange_rules.hpp"

namespace traincast {

namespace {

constexpr double kNever = std::numeric_limits<double>::infinity();

}  // namespace

MaxPlusRecursion::MaxPlusRecursion(const Cluster& cluster, Transport transport)
    : transport_(std::move(transport)),
      routes_(cluster),
      proof_(cluster.links()),
      sent_bytes_(cluster.hosts(), 0),
      received_bytes_(cluster.hosts(), 0) {}

std::vector<double> MaxPlusRecursion::run(const Schedule& schedule, const std::string& name,
                                          std::span<const double> enter) {
  bool all_enter = std::all_of(enter.begin(), enter.end(), [](double time) { return time < kNever; });
  if (all_enter)
    if (auto shape = schedule.ring()) return run_ring(*shape, enter);
  return run_programs(schedule, name, enter);
}

PathId MaxPlusRecursion::hop(Rank from, Rank to, std::uint32_t channel, bool carries_bytes) {
  PathId path = routes_.id(from, to);
  if (!carries_bytes) return path;
  if (channel >= proven_.size()) proven_.resize(channel + 1);
  std::vector<bool>& proven = proven_[channel];
  if (path >= proven.size()) proven.resize(path + 1, false);
  if (!proven[path]) proof_.add(from, to, channel, routes_.links(path));
  proven[path] = true;
  return path;
}

std::vector<double> MaxPlusRecursion::run_ring(const RingShape& shape, std::span<const double> enter) {
  if (shape.rounds == 0) return {enter.begin(), enter.end()};
  auto ranks = static_cast<Rank>(enter.size());
  std::vector<Bytes> sent = ring_sent_bytes(shape);
  RingHops hops;
  for (Rank rank = 0; rank < ranks; ++rank) {
    Rank to = (rank + 1) % ranks;
    PathId path = hop(rank, to, 0, sent[rank] > 0);
    hops.latency.push_back(routes_[path].latency);
    hops.seconds_per_byte.push_back(1 / routes_[path].bandwidth);
    traffic_.add(path, sent[rank]);
    sent_bytes_[rank] += sent[rank];
    received_bytes_[to] += sent[rank];
  }
  transfers_ += std::uint64_t{ranks} * shape.rounds;
  return ring_recursion(shape, hops, transport_, enter);
}

void MaxPlusRecursion::begin(const Schedule& schedule, std::span<const double> enter) {
  auto ranks = static_cast<Rank>(enter.size());
  std::uint32_t channels = schedule.channels();
  if (std::size_t lanes = sent_bytes_.size() * channels; lanes_.size() < lanes) lanes_.resize(lanes);
  for (std::uint32_t channel = 0; channel < channels; ++channel)
    for (Rank rank = 0; rank < ranks; ++rank) {
      if (enter[rank] == kNever) continue;
      Lane& beginning = lane(rank, channel);
      beginning.rank = rank;
      beginning.channel = channel;
      beginning.program = schedule.program(rank, channel);
      beginning.program_over = false;
      beginning.time = beginning.sent = enter[rank];
      beginning.awaited = kNobody;
      beginning.outbox.clear();
      beginning.next_message = 0;
      runnable_.push_back(&beginning);
    }
}

std::vector<double> MaxPlusRecursion::run_programs(const Schedule& schedule, const std::string& name,
                                                   std::span<const double> enter) {
  begin(schedule, enter);
  while (!runnable_.empty()) {
    Lane& next = *runnable_.back();
    runnable_.pop_back();
    go_on(next, name);
  }
  std::vector<double> finish(enter.begin(), enter.end());
  for (Rank rank = 0; rank < finish.size(); ++rank) {
    if (enter[rank] == kNever) continue;
    for (std::uint32_t channel = 0; channel < schedule.channels(); ++channel) {
      Lane& ended = lane(rank, channel);
      ended.program.reset();
      if (finish[rank] == kNever) continue;
      finish[rank] = ended.is_over() ? std::max({finish[rank], ended.time, ended.sent}) : kNever;
      if (finish[rank] < kNever) continue;
      waiting_.emplace_back(rank, ended.awaited != kNobody
                                      ? waits_for_message(rank, ended.awaited, name)
                                      : waits_until_taken(rank, ended.outbox[ended.next_message].to, name));
    }
  }
  return finish;
}

// Everything that the lane can do by now. Whom it gives something to do comes later, so that no chain of
// ranks is a chain of calls.
void MaxPlusRecursion::go_on(Lane& running, const std::string& name) {
  for (bool moved = true; moved;) {
    moved = false;
    if (running.awaited == kNobody && !running.program_over) advance(running, name);
    while (running.has_message()) {
      Lane& receiver = lane(running.outbox[running.next_message].to, running.channel);
      if (!try_to_send(running, name)) break;
      runnable_.push_back(&receiver);
    }
    if (running.awaited == kNobody) continue;
    Lane& sender = lane(running.awaited, running.channel);
    if (!sender.program || !sender.has_message()) continue;
    if (sender.outbox[sender.next_message].to != running.rank || !try_to_send(sender, name)) continue;
    moved = true;
    if (sender.has_message()) runnable_.push_back(&sender);
  }
}

void MaxPlusRecursion::advance(Lane& running, const std::string& name) {
  Action action;
  while (running.program->next(action)) {
    check_peer(running.rank, sent_bytes_.size(), action, name);
    if (action.kind != Action::Kind::send) {
      running.awaited = action.peer;
      running.awaited_bytes = action.bytes;
      running.works_on_awaited = action.kind == Action::Kind::reduce;
      running.work = action.work;
      return;
    }
    if (!running.has_message()) {
      running.outbox.clear();
      running.next_message = 0;
    }
    running.outbox.push_back({action.peer, action.bytes, running.time});
  }
  running.program_over = true;
}

bool MaxPlusRecursion::try_to_send(Lane& sender, const std::string& name) {
  const Message& message = sender.outbox[sender.next_message];
  Lane& receiver = lane(message.to, sender.channel);
  if (receiver.awaited != sender.rank || !receiver.program) return false;
  check_sizes(sender.rank, message.to, message.bytes, receiver.awaited_bytes, name);
  if (sender.last_peer != message.to) {
    sender.last_peer = message.to;
    sender.path = hop(sender.rank, message.to, sender.channel, false);
    sender.latency = routes_[sender.path].latency;
    sender.seconds_per_byte = 1 / routes_[sender.path].bandwidth;
    sender.proven = false;
  }
  if (message.bytes > 0 && !sender.proven) {
    hop(sender.rank, message.to, sender.channel, true);
    sender.proven = true;
  }
  double start = std::max({message.ready, sender.sent, receiver.time});
  double added = transport_.latency_s(message.bytes);
  auto load = static_cast<double>(transport_.load(message.bytes));
  sender.sent = receiver.time = start + (sender.latency + added + load * sender.seconds_per_byte);
  if (receiver.works_on_awaited) receiver.time += transport_.hop_s(receiver.work, message.bytes);
  receiver.awaited = kNobody;
  ++sender.next_message;
  traffic_.add(sender.path, message.bytes);
  sent_bytes_[sender.rank] += message.bytes;
  received_bytes_[message.to] += message.bytes;
  ++transfers_;
  return true;
}

std::vector<std::string> MaxPlusRecursion::waiting() const {
  auto in_order = waiting_;
  std::stable_sort(in_order.begin(), in_order.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<std::string> all;
  for (auto& [rank, text] : in_order) all.push_back(std::move(text));
  return all;
}

}  // namespace traincast
