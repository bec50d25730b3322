#include "simulator/step/communicator.hpp"

#include <utility>

#include "simulator/step/exchange_rules.hpp"

namespace traincast {

Communicator::Communicator(Network& network, std::uint32_t ranks)
    : network_(network), endpoints_(ranks), sent_bytes_(ranks, 0), received_bytes_(ranks, 0) {}

std::size_t Communicator::add(const Schedule& schedule, std::string name,
                              std::function<void(Rank)> finished) {
  collectives_.push_back({&schedule, std::move(name), std::move(finished)});
  return collectives_.size() - 1;
}

void Communicator::start(const Schedule& schedule, std::string name, std::function<void(Rank)> finished) {
  std::size_t collective = add(schedule, std::move(name), std::move(finished));
  for (Rank rank = 0; rank < endpoints_.size(); ++rank) enter(rank, collective);
}

void Communicator::enter(Rank rank, std::size_t collective) {
  Endpoint& endpoint = endpoints_[rank];
  endpoint.entered.push(collective);
  if (endpoint.entered.size() == 1) begin(rank);
}

void Communicator::begin(Rank rank) {
  Endpoint& endpoint = endpoints_[rank];
  endpoint.program = collectives_[endpoint.entered.front()].schedule->program(rank);
  endpoint.program_over = false;
  advance(rank);
}

void Communicator::advance(Rank rank) {
  Endpoint& endpoint = endpoints_[rank];
  Action action;
  while (endpoint.program->next(action)) {
    check_peer(rank, endpoints_.size(), action, collectives_[endpoint.entered.front()].name);
    if (action.kind == Action::Kind::send) {
      endpoint.outbox.push(action);
      try_to_send(rank);
    } else {
      endpoint.awaited = action;
      try_to_send(action.peer);
      return;
    }
  }
  endpoint.program_over = true;
  finish_if_over(rank);
}

void Communicator::try_to_send(Rank sender) {
  Endpoint& from = endpoints_[sender];
  if (from.sending || from.outbox.empty()) return;
  const Action& message = from.outbox.front();
  const Endpoint& to = endpoints_[message.peer];
  if (!to.awaited || to.awaited->peer != sender || to.entered.front() != from.entered.front()) return;
  check_sizes(sender, message.peer, message.bytes, to.awaited->bytes,
              collectives_[from.entered.front()].name);
  from.sending = true;
  network_.transfer(sender, message.peer, message.bytes, [this, sender] { arrived(sender); });
}

void Communicator::arrived(Rank sender) {
  Endpoint& from = endpoints_[sender];
  Action message = from.outbox.front();
  from.outbox.pop();
  from.sending = false;
  sent_bytes_[sender] += message.bytes;
  received_bytes_[message.peer] += message.bytes;
  ++transfers_;
  endpoints_[message.peer].awaited.reset();
  advance(message.peer);
  try_to_send(sender);
  finish_if_over(sender);
}

void Communicator::finish_if_over(Rank rank) {
  Endpoint& endpoint = endpoints_[rank];
  if (!endpoint.program || !endpoint.program_over || !endpoint.outbox.empty()) return;
  endpoint.program.reset();
  // Called while the collective is still the first of those entered, so that what it enters comes behind.
  collectives_[endpoint.entered.front()].finished(rank);
  endpoint.entered.pop();
  if (!endpoint.entered.empty()) begin(rank);
}

std::vector<std::string> Communicator::waiting() const {
  std::vector<std::string> all;
  for (Rank rank = 0; rank < endpoints_.size(); ++rank) {
    const Endpoint& endpoint = endpoints_[rank];
    if (!endpoint.program) continue;
    const std::string& name = collectives_[endpoint.entered.front()].name;
    all.push_back(endpoint.awaited ? waits_for_message(rank, endpoint.awaited->peer, name)
                                   : waits_until_taken(rank, endpoint.outbox.front().peer, name));
  }
  return all;
}

}  // namespace traincast
