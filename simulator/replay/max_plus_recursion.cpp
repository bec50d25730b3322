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

MaxPlusRecursion::MaxPlusRecursion(const Cluster& cluster)
    : routes_(cluster),
      proof_(cluster.links()),
      endpoints_(cluster.learners()),
      sent_bytes_(cluster.learners(), 0),
      received_bytes_(cluster.learners(), 0) {}

std::vector<double> MaxPlusRecursion::run(const Schedule& schedule, const std::string& name,
                                          std::span<const double> enter) {
  bool all_enter = std::all_of(enter.begin(), enter.end(), [](double time) { return time < kNever; });
  if (all_enter)
    if (auto shape = schedule.ring()) return run_ring(*shape, enter);
  return run_programs(schedule, name, enter);
}

PathId MaxPlusRecursion::hop(Rank from, Rank to, bool carries_bytes) {
  PathId path = routes_.id(from, to);
  if (!carries_bytes) return path;
  if (path >= proven_.size()) proven_.resize(path + 1, false);
  if (!proven_[path]) proof_.add(from, to, routes_.links(path));
  proven_[path] = true;
  return path;
}

std::vector<double> MaxPlusRecursion::run_ring(const RingShape& shape, std::span<const double> enter) {
  if (shape.rounds == 0) return {enter.begin(), enter.end()};
  auto ranks = static_cast<Rank>(enter.size());
  std::vector<Bytes> sent = ring_sent_bytes(shape);
  RingHops hops;
  for (Rank rank = 0; rank < ranks; ++rank) {
    Rank to = (rank + 1) % ranks;
    PathId path = hop(rank, to, sent[rank] > 0);
    hops.latency.push_back(routes_[path].latency);
    hops.seconds_per_byte.push_back(1 / routes_[path].bandwidth);
    traffic_.add(path, sent[rank]);
    sent_bytes_[rank] += sent[rank];
    received_bytes_[to] += sent[rank];
  }
  transfers_ += std::uint64_t{ranks} * shape.rounds;
  return ring_recursion(shape, hops, enter);
}

std::vector<double> MaxPlusRecursion::run_programs(const Schedule& schedule, const std::string& name,
                                                   std::span<const double> enter) {
  auto ranks = static_cast<Rank>(enter.size());
  for (Rank rank = 0; rank < ranks; ++rank) {
    Endpoint& endpoint = endpoints_[rank];
    if (enter[rank] == kNever) continue;
    endpoint.program = schedule.program(rank);
    endpoint.program_over = false;
    endpoint.time = endpoint.sent = enter[rank];
    endpoint.awaited = kNobody;
    endpoint.outbox.clear();
    endpoint.next_message = 0;
  }
  for (Rank rank = ranks; rank-- > 0;)
    if (endpoints_[rank].program) runnable_.push_back(rank);
  while (!runnable_.empty()) {
    Rank rank = runnable_.back();
    runnable_.pop_back();
    go_on(rank, name);
  }
  std::vector<double> finish(ranks, kNever);
  for (Rank rank = 0; rank < ranks; ++rank) {
    Endpoint& endpoint = endpoints_[rank];
    if (!endpoint.program) continue;
    endpoint.program.reset();
    if (endpoint.program_over && !has_message(endpoint))
      finish[rank] = std::max(endpoint.time, endpoint.sent);
    else
      waiting_.emplace_back(rank,
                            endpoint.awaited != kNobody
                                ? waits_for_message(rank, endpoint.awaited, name)
                                : waits_until_taken(rank, endpoint.outbox[endpoint.next_message].to, name));
  }
  return finish;
}

// Everything that the rank can do by now. Whom it gives something to do comes later, so that no chain of
// ranks is a chain of calls.
void MaxPlusRecursion::go_on(Rank rank, const std::string& name) {
  Endpoint& endpoint = endpoints_[rank];
  for (bool moved = true; moved;) {
    moved = false;
    if (endpoint.awaited == kNobody && !endpoint.program_over) {
      advance(rank, name);
      moved = true;
    }
    while (has_message(endpoint)) {
      Rank to = endpoint.outbox[endpoint.next_message].to;
      if (!try_to_send(rank, name)) break;
      runnable_.push_back(to);
    }
    if (Rank sender = endpoint.awaited; sender != kNobody && try_to_send(sender, name)) {
      moved = true;
      if (has_message(endpoints_[sender])) runnable_.push_back(sender);
    }
  }
}

void MaxPlusRecursion::advance(Rank rank, const std::string& name) {
  Endpoint& endpoint = endpoints_[rank];
  Action action;
  while (endpoint.program->next(action)) {
    check_peer(rank, endpoints_.size(), action, name);
    if (action.kind != Action::Kind::send) {
      endpoint.awaited = action.peer;
      endpoint.awaited_bytes = action.bytes;
      return;
    }
    if (!has_message(endpoint)) {
      endpoint.outbox.clear();
      endpoint.next_message = 0;
    }
    endpoint.outbox.push_back({action.peer, action.bytes, endpoint.time});
  }
  endpoint.program_over = true;
}

void MaxPlusRecursion::turn_to(Endpoint& sender, Rank from, Rank to) {
  sender.last_peer = to;
  sender.path = hop(from, to, false);
  sender.latency = routes_[sender.path].latency;
  sender.seconds_per_byte = 1 / routes_[sender.path].bandwidth;
  sender.proven = false;
}

bool MaxPlusRecursion::try_to_send(Rank rank, const std::string& name) {
  Endpoint& sender = endpoints_[rank];
  if (!sender.program || !has_message(sender)) return false;
  const Message& message = sender.outbox[sender.next_message];
  Endpoint& receiver = endpoints_[message.to];
  if (receiver.awaited != rank) return false;
  check_sizes(rank, message.to, message.bytes, receiver.awaited_bytes, name);
  if (sender.last_peer != message.to) turn_to(sender, rank, message.to);
  if (message.bytes > 0 && !sender.proven) {
    hop(rank, message.to, true);
    sender.proven = true;
  }
  double start = std::max({message.ready, sender.sent, receiver.time});
  double arrival = start + (sender.latency + static_cast<double>(message.bytes) * sender.seconds_per_byte);
  sender.sent = receiver.time = arrival;
  receiver.awaited = kNobody;
  ++sender.next_message;
  traffic_.add(sender.path, message.bytes);
  sent_bytes_[rank] += message.bytes;
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
