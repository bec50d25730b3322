#include <array>

#include "platforms/stack.hpp"
#include "platforms/topology_parameters.hpp"

namespace traincast {

namespace {

using Name = std::string_view;

constexpr std::array<Parameter, 19> kCosts{{
    {"launch", Unit::duration, "[0s, inf)", "0s",
     "from the moment that all learners are ready to a collective's first message"},
    {"low_latency", Unit::duration, "[0s, inf)", "0s", "of a message by the low-latency protocol"},
    {"low_efficiency", Unit::ratio, "(0, 1]", "1", "share of the bandwidth that it reaches"},
    {"middle_latency", Unit::duration, "[0s, inf)", "0s", "of a message by the protocol between"},
    {"middle_efficiency", Unit::ratio, "(0, 1]", "1", "share of the bandwidth that it reaches"},
    {"bulk_latency", Unit::duration, "[0s, inf)", "0s", "of a message by the bulk protocol"},
    {"bulk_efficiency", Unit::ratio, "(0, 1]", "1", "share of the bandwidth that it reaches"},
    {"gpu_direct", Unit::flag, "", "true",
     "the network reads and writes the accelerator's memory; false: a collective's buffers are copied "
     "through "
     "host memory, before and after"},
    {"staging", Unit::bandwidth, "(0Bps, inf)", "12GBps",
     "of these copies; PCIe 3.0 x16 as NCCL 2.12 takes it (graph/topo.h: 12 GB/s)"},
    {"cycle", Unit::duration, "[0s, inf)", "0s",
     "between two moments at which collectives start; 0s: at once"},
    {"fusion", Unit::bytes, "[0B, inf)", "0B", "up to which collectives that start together become one"},
    {"unequal_all_gather", Unit::word, "as_is|padded|grouped_broadcasts", "as_is",
     "how messages of unequal sizes travel"},
    {"size_exchange", Unit::flag, "", "false",
     "unequal sizes are all-gathered first, 8 bytes from each learner"},
    {"channels", Unit::count, "[0, 256]", "0",
     "rings that 'multi_ring' runs side by side at most; 0: one for each rank of a node"},
    {"slowdown", Unit::ratio, "[0, 1)", "0",
     "share of its speed that backward loses while a collective is in flight"},
    {"free_hops", Unit::flag, "", "false", "working on messages on the way costs no time"},
    {"summation", Unit::bandwidth, "(0Bps, inf)", "100GBps", "of a message, added by the rank that takes it"},
    {"merging", Unit::bandwidth, "(0Bps, inf)", "5GBps",
     "of a sparse message, united with what the rank holds"},
    {"recompression", Unit::bandwidth, "(0Bps, inf)", "20GBps",
     "of a compressed message, decoded, added and encoded again"},
}};

// Sylvain Jeaugey's tuning model in NCCL 2.12, src/graph/tuning.cc (commit 01afd20): base latency of a ring
// with the Simple protocol 8.4 µs; a network hop of a ring 2.7, 4.0 and 9.6 µs by LL, LL128 and Simple; of
// the bus bandwidth LL reaches a quarter and LL128 92 %. Slow-down and the rates of work on hops are
// assumptions.
constexpr auto kNccl = with_defaults(kCosts, {{"launch", "8.4us"},
                                              {"low_latency", "2.7us"},
                                              {"low_efficiency", "0.25"},
                                              {"middle_latency", "4us"},
                                              {"middle_efficiency", "0.92"},
                                              {"bulk_latency", "9.6us"},
                                              {"unequal_all_gather", "padded"},
                                              {"size_exchange", "true"},
                                              {"slowdown", "0.05"}});

// NCCL below; launching from Python and its bookkeeping 20 µs (an assumption). PyTorch's process group
// gathers unequal sizes by one broadcast for each rank, in one group.
constexpr auto kDdp =
    with_defaults(kNccl, {{"launch", "28.4us"}, {"unequal_all_gather", "grouped_broadcasts"}});

// Over TCP on Ethernet, through host memory. A full frame takes 1,538 bytes of the wire for 1,448 of payload:
// 94 %. Latencies and the processor's rates are assumptions.
constexpr auto kGloo = with_defaults(kCosts, {{"launch", "50us"},
                                              {"low_latency", "30us"},
                                              {"low_efficiency", "0.94"},
                                              {"middle_latency", "30us"},
                                              {"middle_efficiency", "0.94"},
                                              {"bulk_latency", "30us"},
                                              {"bulk_efficiency", "0.94"},
                                              {"gpu_direct", "false"},
                                              {"unequal_all_gather", "padded"},
                                              {"size_exchange", "true"},
                                              {"summation", "10GBps"},
                                              {"merging", "1GBps"},
                                              {"recompression", "2GBps"}});

// Cycle and fusion buffer are Horovod's defaults since 0.21 (release notes: 1 ms and 128 MB); negotiation
// tells all ranks the sizes. Messages as gloo's: eager below, a rendezvous' round trip above (assumptions).
constexpr auto kMpiHorovod = with_defaults(kGloo, {{"launch", "20us"},
                                                   {"low_latency", "10us"},
                                                   {"low_efficiency", "0.5"},
                                                   {"middle_latency", "20us"},
                                                   {"cycle", "1ms"},
                                                   {"fusion", "128MiB"},
                                                   {"unequal_all_gather", "as_is"},
                                                   {"size_exchange", "false"}});

// Sums at servers in host memory (Jiang et al. 2020, section 3): one beside every learner, or the platform's
// own where it has some and they are estimated quicker; latencies and rates as gloo's (assumptions).
constexpr auto kBytePs = with_defaults(kGloo, {{"launch", "20us"}});

constexpr Name kRingAndTree[] = {"ring", "multi_ring", "double_binary_tree"};
constexpr Name kRing[] = {"ring"};
constexpr Name kPipelinedRing[] = {"pipelined_ring"};
constexpr Name kGathers[] = {"ring", "padded", "grouped_broadcasts"};
constexpr Stack::Allowed kByNccl[] = {{Word::all_reduce, kRingAndTree},
                                      {Word::all_gather, kGathers},
                                      {Word::reduce_scatter, kRing},
                                      {Word::broadcast, kPipelinedRing}};

constexpr Name kGlooSums[] = {"ring", "halving_doubling"};
constexpr Name kBinomial[] = {"binomial_tree"};
constexpr Stack::Allowed kByGloo[] = {
    {Word::all_reduce, kGlooSums}, {Word::all_gather, kGathers}, {Word::broadcast, kBinomial}};

constexpr Name kMpiSums[] = {"ring", "recursive_doubling", "halving_doubling"};
constexpr Name kMpiGathers[] = {"ring", "bruck", "recursive_doubling"};
constexpr Name kMpiBroadcasts[] = {"binomial_tree", "scatter_all_gather"};
constexpr Stack::Allowed kByMpi[] = {
    {Word::all_reduce, kMpiSums}, {Word::all_gather, kMpiGathers}, {Word::broadcast, kMpiBroadcasts}};

constexpr Stack::Allowed kByBytePs[] = {{Word::all_reduce, {}},  // each becomes a push_pull
                                        {Word::all_gather, {}},     {Word::all_to_all, {}},
                                        {Word::reduce_scatter, {}}, {Word::sparse_all_reduce, {}},
                                        {Word::rounds, {}},         {Word::broadcast, kBinomial}};

Stack::Unequal unequal_of(const std::string& word) {
  if (word == "padded") return Stack::Unequal::padded;
  return word == "grouped_broadcasts" ? Stack::Unequal::grouped_broadcasts : Stack::Unequal::as_is;
}

Stack with_costs(const Parameters& costs) {
  Stack stack;
  stack.launch_s = costs.number("launch");
  stack.protocols = {{costs.number("low_latency"), costs.number("low_efficiency")},
                     {costs.number("middle_latency"), costs.number("middle_efficiency")},
                     {costs.number("bulk_latency"), costs.number("bulk_efficiency")}};
  if (!costs.flag("gpu_direct")) stack.staging = costs.number("staging");
  stack.cycle_s = costs.number("cycle");
  stack.fusion = static_cast<Bytes>(costs.number("fusion"));
  stack.unequal = unequal_of(costs.word("unequal_all_gather"));
  stack.size_exchange = costs.flag("size_exchange");
  stack.channels = static_cast<std::uint32_t>(costs.count("channels"));
  stack.slowdown = costs.number("slowdown");
  if (costs.flag("free_hops")) return stack;
  stack.summation = costs.number("summation");
  stack.merging = costs.number("merging");
  stack.recompression = costs.number("recompression");
  return stack;
}

template <const auto& allowed>
Stack restricted(const Parameters& costs) {
  Stack stack = with_costs(costs);
  stack.allowed = allowed;
  return stack;
}

Stack byteps(const Parameters& costs) {
  Stack stack = restricted<kByBytePs>(costs);
  stack.sums_at_servers = true;
  return stack;
}

constexpr Entry<MakeStack> kStacks[] = {
    {"ideal",
     "pure latency and bandwidth; nothing charged for launching, staging, summing or negotiating",
     "",
     {},
     [](const Parameters&) { return Stack{}; }},
    {"nccl", "rings and double binary trees on the accelerator, its three protocols by message size",
     "NCCL 2.12, src/graph/tuning.cc; slow-down and rates of work on hops: assumptions", kNccl,
     restricted<kByNccl>},
    {"ddp", "PyTorch's process group over NCCL", "as nccl; launching from Python: assumption", kDdp,
     restricted<kByNccl>},
    {"gloo", "TCP through host memory, summed by the processor",
     "payload share from Ethernet's framing; latencies and rates: assumptions", kGloo, restricted<kByGloo>},
    {"mpi-horovod", "MPI through host memory, with Horovod's negotiation cycle and fusion buffer",
     "Horovod 0.21 release notes for cycle and fusion; latencies and rates: assumptions", kMpiHorovod,
     restricted<kByMpi>},
    {"byteps", "sums at servers in host memory; carries no gathered payloads",
     "Jiang et al. 2020, OSDI; latencies and rates: assumptions", kBytePs, byteps},
};

}  // namespace

std::optional<std::span<const Name>> Stack::algorithms(Word word) const {
  for (const Allowed& of : allowed)
    if (of.word == word) return of.algorithms;
  return {};
}

const Catalog<MakeStack>& stack_catalog() {
  static constexpr Catalog<MakeStack> catalog("stacks", "stack", kStacks);
  return catalog;
}

}  // namespace traincast
