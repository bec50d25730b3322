#include "tests/simulator/network/schedule_interpreter.hpp"

#include <deque>
#include <numeric>
#include <optional>

namespace traincast {

namespace {

struct State {
  std::unique_ptr<RankProgram> program;
  std::optional<Action> awaited;
  std::deque<Action> outbox;
  bool over = false;
};

std::string text(Rank rank, const Action& action) {
  return "rank " + std::to_string(rank) + ", elements " + std::to_string(action.first) + " to " +
         std::to_string(action.last) + " with rank " + std::to_string(action.peer);
}

bool overlap(const Action& a, const Action& b) { return a.first < b.last && b.first < a.last; }

}  // namespace

Interpretation interpret(const Schedule& schedule, std::uint64_t elements,
                         const std::vector<std::vector<std::vector<std::uint32_t>>>& at_first) {
  std::uint32_t ranks = schedule.ranks();
  Interpretation result;
  result.held = at_first;
  result.sent.resize(ranks, 0);
  result.received.resize(ranks, 0);
  std::vector<State> states(ranks);
  for (Rank rank = 0; rank < ranks; ++rank) states[rank].program = schedule.program(rank);

  auto run_to_next_wait = [&](Rank rank) {
    State& state = states[rank];
    bool moved = false;
    while (!state.awaited && !state.over) {
      moved = true;
      Action action;
      if (!state.program->next(action)) {
        state.over = true;
        break;
      }
      if (action.peer >= ranks || action.peer == rank || action.first > action.last || action.last > elements)
        result.error = "impossible action: " + text(rank, action);
      if (!result.error.empty()) return false;
      if (action.kind == Action::Kind::send)
        state.outbox.push_back(action);
      else
        state.awaited = action;
    }
    return moved;
  };
  auto deliver = [&](Rank rank) {
    State& from = states[rank];
    if (from.outbox.empty()) return false;
    Action message = from.outbox.front();
    State& to = states[message.peer];
    if (!to.awaited || to.awaited->peer != rank) return false;
    Action taken = *to.awaited;
    if (taken.first != message.first || taken.last != message.last || taken.bytes != message.bytes)
      result.error = "unlike ranges: " + text(rank, message) + "; " + text(message.peer, taken);
    for (const Action& unsent : to.outbox)
      if (overlap(unsent, taken)) result.error = "overwritten before it left: " + text(message.peer, unsent);
    for (std::uint64_t element = message.first; element < message.last; ++element)
      for (Rank c = 0; c < ranks; ++c) {
        std::uint32_t arriving = result.held[rank][element][c];
        std::uint32_t& there = result.held[message.peer][element][c];
        there = taken.kind == Action::Kind::reduce ? there + arriving : arriving;
      }
    result.sent[rank] += message.bytes;
    result.received[message.peer] += message.bytes;
    ++result.transfers;
    from.outbox.pop_front();
    to.awaited.reset();
    return true;
  };

  for (bool moved = true; moved && result.error.empty();) {
    moved = false;
    for (Rank rank = 0; rank < ranks; ++rank) {
      moved |= run_to_next_wait(rank);
      moved |= deliver(rank);
      if (!result.error.empty()) return result;
    }
  }
  for (Rank rank = 0; rank < ranks; ++rank)
    if (!states[rank].over || !states[rank].outbox.empty())
      result.error = "deadlock: rank " + std::to_string(rank) + " does not finish";
  return result;
}

std::uint64_t buffer_elements(const Collective& collective) {
  if (collective.word == Word::all_reduce) return collective.count;
  return std::accumulate(collective.bytes.begin(), collective.bytes.end(), std::uint64_t{0});
}

std::vector<std::vector<std::uint32_t>> held_after(const Collective& collective) {
  std::vector<std::vector<std::uint32_t>> held(buffer_elements(collective),
                                               std::vector<std::uint32_t>(collective.ranks, 0));
  switch (collective.word) {
    case Word::all_reduce:
      for (auto& element : held) element.assign(collective.ranks, 1);
      break;
    case Word::all_gather: {
      std::uint64_t element = 0;
      for (Rank rank = 0; rank < collective.ranks; ++rank)
        for (Bytes i = 0; i < collective.bytes[rank]; ++i) held[element++][rank] = 1;
      break;
    }
    case Word::broadcast:
      for (auto& element : held) element[collective.root] = 1;
      break;
  }
  return held;
}

std::vector<std::vector<std::vector<std::uint32_t>>> held_before(const Collective& collective) {
  auto after = held_after(collective);
  std::vector<std::vector<std::vector<std::uint32_t>>> held(collective.ranks, after);
  for (Rank rank = 0; rank < collective.ranks; ++rank)
    for (auto& element : held[rank])
      for (Rank contributor = 0; contributor < collective.ranks; ++contributor)
        if (contributor != rank) element[contributor] = 0;
  return held;
}

}  // namespace traincast
