#include "tests/simulator/network/schedule_interpreter.hpp"

#include <deque>
#include <numeric>
#include <optional>

namespace traincast {

namespace {

struct Message {
  Action action;
  std::vector<Held> content;  // as it was when the program queued it
};

struct State {
  std::unique_ptr<RankProgram> program;
  std::optional<Action> awaited;
  std::deque<Message> outbox;
  bool over = false;
};

std::string text(Rank rank, const Action& action) {
  return "rank " + std::to_string(rank) + ", elements " + std::to_string(action.first) + " to " +
         std::to_string(action.last) + " with rank " + std::to_string(action.peer);
}

// Of two ranges that may go around the buffer.
bool overlap(const Action& a, const Action& b, std::uint64_t elements) {
  for (std::uint64_t element = a.first; element < a.last; ++element)
    if ((element + elements - b.first) % elements < b.last - b.first) return true;
  return false;
}

}  // namespace

Interpretation interpret(const Schedule& schedule, std::uint64_t elements,
                         const std::vector<std::vector<Held>>& at_first) {
  std::uint32_t ranks = schedule.ranks(), channels = schedule.channels();
  bool follows = !at_first.empty();
  Interpretation result;
  result.held = at_first;
  result.sent.resize(ranks, 0);
  result.received.resize(ranks, 0);
  std::vector<std::vector<State>> states(ranks);
  for (Rank rank = 0; rank < ranks; ++rank)
    for (std::uint32_t channel = 0; channel < channels; ++channel)
      states[rank].emplace_back().program = schedule.program(rank, channel);

  auto run_to_next_wait = [&](Rank rank, std::uint32_t channel) {
    State& state = states[rank][channel];
    bool moved = false;
    while (!state.awaited && !state.over) {
      moved = true;
      Action action;
      if (!state.program->next(action)) {
        state.over = true;
        break;
      }
      if (action.peer >= ranks || action.peer == rank || action.first > action.last ||
          action.first > elements || action.last - action.first > elements)
        result.error = "impossible action: " + text(rank, action);
      if (!result.error.empty()) return false;
      if (action.kind != Action::Kind::send) {
        state.awaited = action;
        continue;
      }
      Message message{action, {}};
      if (follows)
        for (std::uint64_t element = action.first; element < action.last; ++element)
          message.content.push_back(result.held[rank][element % elements]);
      state.outbox.push_back(std::move(message));
    }
    return moved;
  };
  auto deliver = [&](Rank rank, std::uint32_t channel) {
    State& from = states[rank][channel];
    if (from.outbox.empty()) return false;
    Message& message = from.outbox.front();
    const Action& sent = message.action;
    State& to = states[sent.peer][channel];
    if (!to.awaited || to.awaited->peer != rank) return false;
    Action taken = *to.awaited;
    if (taken.first != sent.first || taken.last != sent.last || taken.bytes != sent.bytes)
      result.error = "unlike ranges: " + text(rank, sent) + "; " + text(sent.peer, taken);
    if (follows && taken.kind == Action::Kind::receive)
      for (const Message& unsent : to.outbox)
        if (overlap(unsent.action, taken, elements))
          result.error = "overwritten before it left: " + text(sent.peer, unsent.action);
    if (follows)
      for (std::uint64_t element = sent.first; element < sent.last; ++element) {
        const Held& arriving = message.content[element - sent.first];
        Held& there = result.held[sent.peer][element % elements];
        for (Rank c = 0; c < ranks; ++c)
          there[c] = taken.kind == Action::Kind::reduce ? there[c] + arriving[c] : arriving[c];
      }
    result.sent[rank] += sent.bytes;
    result.received[sent.peer] += sent.bytes;
    ++result.transfers;
    to.awaited.reset();
    from.outbox.pop_front();
    return true;
  };

  for (bool moved = true; moved && result.error.empty();) {
    moved = false;
    for (Rank rank = 0; rank < ranks; ++rank)
      for (std::uint32_t channel = 0; channel < channels; ++channel) {
        moved |= run_to_next_wait(rank, channel);
        moved |= deliver(rank, channel);
        if (!result.error.empty()) return result;
      }
  }
  for (Rank rank = 0; rank < ranks; ++rank)
    for (const State& state : states[rank])
      if (!state.over || !state.outbox.empty())
        result.error = "deadlock: rank " + std::to_string(rank) + " does not finish";
  return result;
}

std::uint64_t buffer_elements(const Collective& collective) {
  if (collective.word == Word::all_reduce || collective.word == Word::reduce_scatter ||
      collective.word == Word::sparse_all_reduce)
    return collective.count;
  if (collective.word == Word::push_pull) return collective.ranks;
  if (collective.word == Word::rounds) {
    std::uint64_t messages = 0;
    for (const auto& round : *collective.rounds) messages += round.size();
    return messages;
  }
  return std::accumulate(collective.bytes.begin(), collective.bytes.end(), std::uint64_t{0});
}

namespace {

constexpr Rank kEveryRank = static_cast<Rank>(-1);

// A learner without a message takes no part in a sum at servers.
bool contributes(const Collective& collective, Rank rank) {
  return collective.word != Word::push_pull || collective.bytes[rank] > 0;
}

// The rank whose contribution an element of the buffer is.
std::vector<Rank> contributors(const Collective& collective) {
  std::vector<Rank> of;
  switch (collective.word) {
    case Word::all_reduce:
    case Word::sparse_all_reduce:
    case Word::reduce_scatter:
    case Word::push_pull: of.assign(buffer_elements(collective), kEveryRank); break;
    case Word::broadcast: of.assign(collective.bytes[0], collective.root); break;
    case Word::rounds:
      for (const auto& round : *collective.rounds)
        for (const Transfer& transfer : round) of.push_back(transfer.from);
      break;
    case Word::all_gather:
    case Word::neighbours:
    case Word::all_to_all:
      for (std::size_t message = 0; message < collective.bytes.size(); ++message)
        of.insert(of.end(), collective.bytes[message],
                  static_cast<Rank>(message / (collective.bytes.size() / collective.ranks)));
      break;
  }
  return of;
}

}  // namespace

std::vector<std::vector<Held>> held_before(const Collective& collective) {
  auto of = contributors(collective);
  std::vector<std::vector<Held>> held(collective.ranks,
                                      std::vector<Held>(of.size(), Held(collective.ranks, 0)));
  for (std::size_t element = 0; element < of.size(); ++element)
    for (Rank rank = 0; rank < collective.ranks; ++rank)
      if ((of[element] == kEveryRank && contributes(collective, rank)) || of[element] == rank)
        held[rank][element][rank] = 1;
  return held;
}

std::vector<Held> held_after(const Collective& collective, Rank rank) {
  auto of = contributors(collective);
  std::vector<Held> held(of.size(), Held(collective.ranks, 0));
  for (std::size_t element = 0; element < of.size(); ++element)
    if (of[element] == kEveryRank)
      for (Rank from = 0; from < collective.ranks; ++from)
        held[element][from] = contributes(collective, from);
    else
      held[element][of[element]] = 1;
  const Held unspecified;
  if (collective.word == Word::reduce_scatter)
    for (std::uint64_t element = 0; element < collective.count; ++element)
      if (element < rank * collective.count / collective.ranks ||
          element >= (rank + 1) * collective.count / collective.ranks)
        held[element] = unspecified;
  // Which neighbours a rank has is the graph's; that nothing else comes, a test of its own.
  if (collective.word == Word::neighbours)
    for (std::size_t element = 0; element < held.size(); ++element)
      if (of[element] != rank) held[element] = unspecified;
  if (collective.word == Word::rounds) {
    std::size_t element = 0;
    for (const auto& round : *collective.rounds)
      for (const Transfer& transfer : round) {
        if (transfer.from != rank && transfer.to != rank) held[element] = unspecified;
        ++element;
      }
  }
  if (collective.word == Word::all_to_all) {
    std::size_t element = 0;
    for (std::size_t message = 0; message < collective.bytes.size(); ++message)
      for (Bytes i = 0; i < collective.bytes[message]; ++i, ++element)
        if (message % collective.ranks != rank) held[element] = unspecified;
  }
  return held;
}

}  // namespace traincast
