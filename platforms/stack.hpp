// A communication stack as data: which algorithms a library runs, and what it adds to the network's own
// latency and bandwidth. Every number is a parameter whose help names its source or calls it an assumption.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "base/catalog.hpp"
#include "base/exchange.hpp"

namespace traincast {

struct Stack {
  /// How a library sends a message; it takes the fastest for the message and the network.
  struct Protocol {
    double latency_s = 0;   ///< added to that of the route
    double efficiency = 1;  ///< share of the bandwidth that carries payload
  };
  /// What becomes of an all-gather whose messages have unequal sizes.
  enum class Unequal {
    as_is,               ///< each message as it is
    padded,              ///< all as long as the longest
    grouped_broadcasts,  ///< one broadcast for each learner
  };

  /// Of a word, the algorithms that "auto" may take; nothing: all that are known. An empty list: the library
  /// does not carry the word.
  std::optional<std::span<const std::string_view>> algorithms(Word word) const;

  /// The word that carries what a method sends: itself, unless sums are formed at servers.
  Word carrier(Word word) const {
    return sums_at_servers && word == Word::all_reduce ? Word::push_pull : word;
  }

  bool sums_at_servers = false;  ///< an all-reduce travels as push_pull
  double launch_s = 0;           ///< of a collective, once all learners are ready
  std::vector<Protocol> protocols;
  double staging = 0;  ///< bytes per second between accelerator and host memory; 0: not needed
  double cycle_s = 0;  ///< of negotiation
  Bytes fusion = 0;    ///< up to which collectives of one cycle become one
  Unequal unequal = Unequal::as_is;
  bool size_exchange = false;  ///< unequal sizes are all-gathered first, as 64-bit numbers
  std::uint32_t channels = 0;  ///< rings side by side at most; 0: as many as a node has ranks
  double slowdown = 0;         ///< share of its speed that backward loses while a collective is in flight
  /// Bytes of a message per second that a rank adds, merges or recompresses on the way; 0: costs nothing.
  double summation = 0, merging = 0, recompression = 0;

  /// Of each word that is restricted.
  struct Allowed {
    Word word;
    std::span<const std::string_view> algorithms;
  };
  std::span<const Allowed> allowed;
};

using MakeStack = Stack (*)(const Parameters&);

const Catalog<MakeStack>& stack_catalog();

}  // namespace traincast
