// Every collective algorithm by name, what it can carry, and which one "auto" takes.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/catalog.hpp"
#include "simulator/collectives/schedule.hpp"
#include "simulator/collectives/transport.hpp"

namespace traincast {

/// What an estimate needs to know of a cluster.
struct NetworkEstimate {
  struct Links {
    double latency, bandwidth;
  };
  double latency = 0;           ///< of the longest route, in seconds
  double bandwidth = 1;         ///< of the narrowest link between two learners, in bytes per second
  std::uint32_t sharing = 1;    ///< neighbouring ranks that share one such link (GPUs behind one NIC)
  std::optional<Links> node{};  ///< within a node; nothing: as between any two
  std::uint32_t node_size = 1;  ///< neighbouring ranks of one node, whether they share a link or not
  /// Of the longest route between ranks that follow one another; nothing: as between any two.
  std::optional<double> neighbour_latency{};
  std::uint32_t neighbour_flows = 2;  ///< over one link, where all ranks send both ways at once
  Transport transport{};              ///< what a stack adds to each message, and the γ of α–β–γ
};

struct CollectiveAlgorithm {
  Word word;
  /// "" or why it cannot carry this (a number of ranks that is no power of two).
  std::string (*refuses)(const Collective&);
  std::unique_ptr<Schedule> (*schedule)(const Collective&);
  /// Seconds by its closed form; only used to choose.
  double (*estimate)(const Collective&, const NetworkEstimate&);
};

/// Algorithms of one word; a name may occur under several words ("ring").
const Catalog<CollectiveAlgorithm>& collective_catalog(Word word);

/// The entry of that name, or for "auto" the one with the smallest estimate (the first of equals). Throws
/// InputError where the named one refuses. `allowed` are the names that "auto" may take; nothing: all.
const Entry<CollectiveAlgorithm>& choose_algorithm(
    const std::string& name, const Collective& collective, const NetworkEstimate& network,
    std::optional<std::span<const std::string_view>> allowed = {});

}  // namespace traincast
