#include "simulator/step/communicator.hpp"

#include <utility>

#include "simulator/step/exchange_rules.hpp"

namespace traincast {

Communicator::Communicator(Network& network, std::uint32_t ranks, const Transport& transport)
    : network_(network),
      transport_(transport),
      endpoints_(ranks),
      sent_bytes_(ranks, 0),
      received_bytes_(ranks, 0) {}

std::size_t Communicator::add(const Schedule& schedule, std::string name,
                              std::function<void(Rank)> finished) {
  collectives_.push_back({&schedule, std::move(name), std::move(finished)});
  return collectives_.size() - 1;
}

void Communicator::start(const Schedule& schedule, std::string name, std::function<void(Rank)> finished) {
  std::size_t collective = add(schedule, std::move(name), std::move(finished));
  for (Rank rank = 0; rank < schedule.ranks(); ++rank) enter(rank, collective);
}

void Communicator::enter(Rank rank, std::size_t collective) {
  Endpoint& endpoint = endpoints_[rank];
  endpoint.entered.push(collective);
  if (endpoint.entered.size() == 1) begin(rank);
}

void Communicator::begin(Rank rank) {
  Endpoint& endpoint = endpoints_[rank];
  const Schedule& schedule = *collectives_[endpoint.entered.front()].schedule;
  std::uint32_t channels = schedule.channels();
  endpoint.channels.resize(channels);
  for (std::uint32_t channel = 0; channel < channels; ++channel)
    endpoint.channels[channel].program = schedule.program(rank, channel);
  // The last one may finish the collective and begin the next.
  for (std::uint32_t channel = 0; channel < channels; ++channel) advance(rank, channel);
}

void Communicator::advance(Rank rank, std::uint32_t channel) {
  Channel& at = endpoints_[rank].channels[channel];
  Action action;
  while (at.program->next(action)) {
    check_peer(rank, endpoints_.size(), action, collectives_[endpoints_[rank].entered.front()].name);
    if (action.kind == Action::Kind::send) {
      at.outbox.push(action);
      try_to_send(rank, channel);
    } else {
      at.awaited = action;
      try_to_send(action.peer, channel);
      return;
    }
  }
  at.program_over = true;
  finish_if_over(rank);
}

void Communicator::try_to_send(Rank sender, std::uint32_t channel) {
  Endpoint& source = endpoints_[sender];
  if (channel >= source.channels.size()) return;
  Channel& from = source.channels[channel];
  if (from.sending || from.outbox.empty()) return;
  const Action& message = from.outbox.front();
  const Endpoint& target = endpoints_[message.peer];
  if (channel >= target.channels.size()) return;
  const Channel& to = target.channels[channel];
  if (!to.awaited || to.awaited->peer != sender || target.entered.front() != source.entered.front()) return;
  check_sizes(sender, message.peer, message.bytes, to.awaited->bytes,
              collectives_[source.entered.front()].name);
  from.sending = true;
  Crossing crossing{sender, message.peer, message.bytes, transport_.load(message.bytes),
                    transport_.latency_s(message.bytes)};
  network_.transfer(crossing, [this, sender, channel] { arrived(sender, channel); });
}

void Communicator::arrived(Rank sender, std::uint32_t channel) {
  Channel& from = endpoints_[sender].channels[channel];
  Action message = from.outbox.front();
  from.outbox.pop();
  from.sending = false;
  sent_bytes_[sender] += message.bytes;
  received_bytes_[message.peer] += message.bytes;
  ++transfers_;
  Channel& to = endpoints_[message.peer].channels[channel];
  double hop_s = 0;
  if (to.awaited->kind == Action::Kind::reduce) hop_s = transport_.hop_s(to.awaited->work, message.bytes);
  to.awaited.reset();
  if (hop_s > 0)  // until then it takes nothing else
    network_.after(hop_s, [this, receiver = message.peer, channel] { advance(receiver, channel); });
  else
    advance(message.peer, channel);
  try_to_send(sender, channel);
  finish_if_over(sender);
}

void Communicator::finish_if_over(Rank rank) {
  Endpoint& endpoint = endpoints_[rank];
  if (endpoint.channels.empty()) return;
  for (const Channel& channel : endpoint.channels)
    if (!channel.program_over || !channel.outbox.empty()) return;
  endpoint.channels.clear();
  // Called while the collective is still the first of those entered, so that what it enters comes behind.
  collectives_[endpoint.entered.front()].finished(rank);
  endpoint.entered.pop();
  if (!endpoint.entered.empty()) begin(rank);
}

std::vector<std::string> Communicator::waiting() const {
  std::vector<std::string> all;
  for (Rank rank = 0; rank < endpoints_.size(); ++rank) {
    const Endpoint& endpoint = endpoints_[rank];
    for (const Channel& channel : endpoint.channels) {
      if (channel.program_over && channel.outbox.empty()) continue;
      const std::string& name = collectives_[endpoint.entered.front()].name;
      all.push_back(channel.awaited ? waits_for_message(rank, channel.awaited->peer, name)
                                    : waits_until_taken(rank, channel.outbox.front().peer, name));
      break;
    }
  }
  return all;
}

}  // namespace traincast
