// What the closed forms of collectives have in common: with them "auto" chooses.
#pragma once

#include "simulator/collectives/collective_catalog.hpp"

namespace traincast {

/// One transfer over a link that so many carry at once.
double transfer_seconds(double bytes, const NetworkEstimate& network, double flows = 1);

/// The same, and the work on it, which is to be added.
double reduction_seconds(double bytes, const NetworkEstimate& network, double flows = 1);

/// Working on a message on the way.
double hop_seconds(HopWork work, double bytes, const NetworkEstimate& network);

/// Of an even division into so many blocks, the bytes of the largest.
double largest_block(const Collective& collective, std::uint32_t blocks);

/// What a whole all_reduce's buffer takes.
double buffer_bytes(const Collective& collective);

/// How many ranks behind one link send over it at once where each sends to the rank so far ahead.
double flows_ahead(std::uint32_t distance, const NetworkEstimate& network);
/// The same where each exchanges with the partner whose number differs in the bit `distance`.
double flows_across(std::uint32_t distance, const NetworkEstimate& network);

/// The network between ranks of one node.
NetworkEstimate within_node(const NetworkEstimate& network);

/// The network between partners whose numbers differ in the bit `distance`.
NetworkEstimate between_partners(std::uint32_t distance, const NetworkEstimate& network);

/// The network between ranks that follow one another.
NetworkEstimate between_neighbours(const NetworkEstimate& network);

/// Rounds of a binomial tree: the logarithm to base two, rounded up.
std::uint32_t tree_rounds(std::uint32_t ranks);

/// Into how many segments a message is cut that so many ranks forward. The pipeline takes
/// (forwarders + S)(α + β·m/S), least for S = √(forwarders·m·β/α). A schedule does not know the network: α/β
/// stands at 64 KiB, what 25 Gb/s carry in 21 µs. A network four times off either way loses at most a
/// quarter.
std::uint32_t pipeline_segments(std::uint32_t forwarders, Bytes message);

/// The segments of a message that goes along a chain of all ranks.
std::uint32_t chain_segments(std::uint32_t ranks, Bytes message);

/// The shorter side of the squarest grid: the largest divisor that is not above the square root.
std::uint32_t squarest_side(std::uint32_t ranks);

/// Recursive halving (which sums) or doubling of a buffer: the round at distance d moves d/N of it.
double halving_seconds(double bytes, std::uint32_t ranks, const NetworkEstimate& network);
double doubling_seconds(double bytes, std::uint32_t ranks, const NetworkEstimate& network);

/// Reduce-scatter among groups of neighbours, all-reduce among ranks of the same place in their groups,
/// all-gather within the groups; each around rings.
double two_level_seconds(const Collective& collective, std::uint32_t group, const NetworkEstimate& network);

/// What an algorithm answers to `refuses` that takes everything, powers of two, or ranks in nodes.
std::string refuses_nothing(const Collective& collective);
std::string refuses_unless_power_of_two(const Collective& collective);
std::string refuses_unless_grouped(const Collective& collective);

}  // namespace traincast
