#include "simulator/stack_rules.hpp"

#include <algorithm>
#include <functional>
#include <numeric>

#include "base/error.hpp"
#include "simulator/collectives/program_parts.hpp"
#include "simulator/collectives/subgroups.hpp"

namespace traincast {

namespace {

double seconds_per_byte(double rate) { return rate > 0 ? 1 / rate : 0; }

bool unequal(const Collective& collective) {
  return collective.word == Word::all_gather &&
         std::adjacent_find(collective.bytes.begin(), collective.bytes.end(), std::not_equal_to<>()) !=
             collective.bytes.end();
}

Collective at_servers(const Collective& sum) {
  Collective collective = sum;
  collective.word = Word::push_pull;
  collective.pulled = sum.count * sum.element_bytes;
  collective.bytes.assign(sum.ranks, collective.pulled);
  return collective;
}

/// What the slowest learner copies to host memory before a collective, and back after it.
struct Staged {
  Bytes out = 0, back = 0;
};

Staged staged(const Collective& collective) {
  Bytes vector = collective.count * collective.element_bytes;
  Bytes all = std::accumulate(collective.bytes.begin(), collective.bytes.end(), Bytes{0});
  Bytes largest =
      collective.bytes.empty() ? 0 : *std::max_element(collective.bytes.begin(), collective.bytes.end());
  switch (collective.word) {
    case Word::all_reduce:
    case Word::sparse_all_reduce: return {vector, vector};
    case Word::reduce_scatter: return {vector, vector / collective.ranks};
    case Word::push_pull: return {largest, collective.pulled};
    case Word::all_to_all: {
      Bytes each = collective.bytes.size() == 1 ? all * collective.ranks : all / collective.ranks;
      return {each, each};
    }
    case Word::all_gather:
    case Word::neighbours: return {largest, all};
    case Word::broadcast: return {all, all};
    case Word::rounds: break;
  }
  return {};
}

std::string taken_for(const Stack& stack, const std::string& name, const Collective& collective) {
  if (name != "auto" || !unequal(collective)) return name;
  if (stack.unequal == Stack::Unequal::padded) return "padded";
  return stack.unequal == Stack::Unequal::grouped_broadcasts ? "grouped_broadcasts" : name;
}

}  // namespace

// A message of m bytes takes l + m/(e·B) by a protocol; each is the fastest from where it meets the one
// before. Protocols that are never the fastest fall out.
Transport transport_of(const Stack& stack, const NetworkEstimate& network) {
  Transport transport;
  transport.hop_s_per_byte[static_cast<std::size_t>(HopWork::sum)] = seconds_per_byte(stack.summation);
  transport.hop_s_per_byte[static_cast<std::size_t>(HopWork::merge)] = seconds_per_byte(stack.merging);
  transport.hop_s_per_byte[static_cast<std::size_t>(HopWork::recompress)] =
      seconds_per_byte(stack.recompression);
  constexpr double kLargest = 0x1p62;
  const Stack::Protocol* now = nullptr;
  for (const Stack::Protocol& first : stack.protocols)  // of the smallest message
    if (!now || first.latency_s < now->latency_s ||
        (first.latency_s == now->latency_s && first.efficiency > now->efficiency))
      now = &first;
  while (now) {
    const Stack::Protocol* next = nullptr;
    double until = kLargest;
    for (const Stack::Protocol& later : stack.protocols) {
      if (later.efficiency <= now->efficiency) continue;
      double meets = (later.latency_s - now->latency_s) * network.bandwidth /
                     (1 / now->efficiency - 1 / later.efficiency);
      if (meets > until || (meets == until && (!next || later.efficiency < next->efficiency))) continue;
      until = meets;
      next = &later;
    }
    transport.protocols.push_back(
        {next ? static_cast<Bytes>(until) : UINT64_MAX, now->latency_s, now->efficiency});
    now = next;
  }
  return transport;
}

CarriedCollective carry(const Stack& stack, const std::string& name, const Collective& collective,
                        const NetworkEstimate& network) {
  if (stack.carrier(collective.word) != collective.word)
    return carry(stack, name, at_servers(collective), network);
  NetworkEstimate seen = network;
  seen.transport = transport_of(stack, network);
  auto allowed = stack.algorithms(collective.word);
  if (allowed && allowed->empty())
    throw PlacedError("", "/stack",
                      "it does not carry " + std::string(to_string(collective.word)) +
                          ", which the method sends; 'ideal' carries everything");
  Collective sent = collective;
  sent.channels = stack.channels;
  const auto& entry = choose_algorithm(taken_for(stack, name, sent), sent, seen, allowed);
  CarriedCollective carried;
  carried.schedule = entry.make.schedule(sent);
  carried.algorithms.emplace_back(collective.word, entry.name);
  carried.estimate_s = carried.quicker_s = entry.make.estimate(sent, seen);
  if (name != "auto") {
    const auto& best = choose_algorithm("auto", sent, seen, allowed);
    if (double least = best.make.estimate(sent, seen); least < carried.estimate_s) {
      carried.quicker = best.name;
      carried.quicker_s = least;
    }
  }
  if (stack.size_exchange && unequal(collective)) {
    Collective sizes = collective;
    sizes.bytes.assign(collective.ranks, sizeof(std::uint64_t));
    const auto& exchange = choose_algorithm("auto", sizes, seen, allowed);
    carried.schedule = in_sequence(exchange.make.schedule(sizes), carried.schedule);
    carried.algorithms.insert(carried.algorithms.begin(), {Word::all_gather, std::string(exchange.name)});
  }
  Staged copies = staged(collective);
  carried.launch_s = stack.launch_s + static_cast<double>(copies.out) * seconds_per_byte(stack.staging);
  carried.landing_s = static_cast<double>(copies.back) * seconds_per_byte(stack.staging);
  return carried;
}

CarriedCollective carry(const Stack& stack, const std::string& name, const Collective& collective,
                        const Subgroups& members, const NetworkEstimate& network) {
  if (members.among == Among::all) return carry(stack, name, collective, network);
  if (stack.carrier(collective.word) != collective.word)
    throw InputError(
        "/stack: it sums at servers, which sub-groups of learners do not have; 'ideal' or 'nccl' "
        "carry what the method sends");
  const NetworkEstimate seen = as_subgroups_see(network, members);
  std::vector<Collective> parts;
  for (std::uint32_t group = 0; group < members.count(collective.ranks); ++group)
    parts.push_back(part_of(collective, members, group));
  auto most = std::max_element(parts.begin(), parts.end(), [](const Collective& a, const Collective& b) {
    return staged(a).out < staged(b).out;
  });
  CarriedCollective all = carry(stack, name, *most, seen);
  std::vector<std::shared_ptr<const Schedule>> schedules;
  for (const Collective& part : parts) {
    bool alike = part.bytes == most->bytes && !part.supports;
    schedules.push_back(alike ? all.schedule
                              : carry(stack, all.algorithms.back().second, part, seen).schedule);
  }
  all.schedule = side_by_side(std::move(schedules), members);
  return all;
}

Collective joined(std::span<const Collective> collectives) {
  Collective all = collectives.front();
  for (const Collective& next : collectives.subspan(1)) {
    all.count += next.count;
    for (std::size_t i = 0; i < all.bytes.size(); ++i) all.bytes[i] += next.bytes[i];
  }
  return all;
}

}  // namespace traincast
