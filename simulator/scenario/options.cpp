#include "simulator/scenario/options.hpp"

#include <algorithm>

#include "compressors/compressor_catalog.hpp"
#include "platforms/cluster_catalog.hpp"
#include "platforms/stack.hpp"
#include "platforms/topology.hpp"
#include "simulator/collectives/collective_catalog.hpp"
#include "simulator/scenario/speeds.hpp"
#include "simulator/scenario/training_options.hpp"
#include "workloads/workload.hpp"

namespace traincast {

namespace {

constexpr Parameter kTrace[] = {
    {"path", Unit::path, "", kRequired, "folder of the trace, relative to the scenario file"}};
constexpr Parameter kShapes[] = {
    {"shape", Unit::counts, "[1, 4294967295]", "[]",
     "of the one tensor that is exchanged, rows first, as in [25000000] or [1000, 512]"},
    {"model", Unit::path, "", "",
     "instead of a shape: all tensors of a model, by name (a workload, as its defaults make it, or "
     "bert_base, "
     "lstm_wikitext2, resnet50_tensorflow) or from a layer table's file, *.json, relative to the scenario "
     "file"},
    {"batch", Unit::count, "[1, 1000000]", "32",
     "samples of a learner's mini-batch, for which an accelerator computes"}};
constexpr Parameter kExchange[] = {
    {"path", Unit::path, "", kRequired,
     "file that 'traincast run --record' wrote, relative to the scenario file"}};
constexpr Parameter kGenerated[] = {
    kShapes[0],
    kShapes[1],
    kShapes[2],
    {"overlap", Unit::ratio, "[0, 1]", "0",
     "share of a learner's places that are the same for all; the others are drawn evenly"}};
constexpr Parameter kSynthetic[] = {
    kShapes[0],
    kShapes[1],
    kShapes[2],
    {"samples_per_learner", Unit::count, "[1, 1000000000]", "50000",
     "of an epoch, for methods that go by epochs"},
    {"shared", Unit::ratio, "[0, 1]", "0.25",
     "share of a gradient's variance that all learners have in common; the rest is each one's own"}};
constexpr Parameter kLive[] = {
    {"after", Unit::count, "[0, 1000000]", "0", "steps trained before the first that is captured"}};
constexpr Entry<GradientSourceKind> kGradients[] = {
    {"live",
     "trained now, on this machine, by traincast-capture; the dense trajectory at the largest learners", "",
     kLive, GradientSourceKind::live},
    {"streamed",
     "trained now, as live, but on the CPU, and kept nowhere: methods run on each step's gradients while "
     "they are there, in as many rounds over the training as memory makes necessary, and send the same to "
     "the byte; times come from an accelerator or are given",
     "", kLive, GradientSourceKind::streamed},
    {"trace", "recorded before; smaller runs use its first learners", "", kTrace, GradientSourceKind::trace},
    {"synthetic",
     "values drawn from the seed, not trained, for a shape or a model; the report says so: a part that "
     "learners share and a part of their own, each with a variance of 1, times a scale of each place that "
     "stays from step to step, Pareto's with exponent 8/3, so that 0.1 % of the places have 18 % of the "
     "squares",
     "", kSynthetic, GradientSourceKind::synthetic},
    {"shapes",
     "no gradients: sizes of messages for a shape or a model, where the method's do not depend on values; "
     "times come from an accelerator or are given",
     "", kShapes, GradientSourceKind::shapes},
    {"exchange",
     "what one method sent, recorded before: sizes and supports, no gradients; times come from an "
     "accelerator or "
     "are given",
     "", kExchange, GradientSourceKind::exchange},
    {"generated",
     "no gradients: top-k's places drawn, not selected, where it is summed in flight; the report says so", "",
     kGenerated, GradientSourceKind::generated}};
constexpr Parameter kGiven[] = {
    {"forward", Unit::duration, "[0s, inf)", kRequired, "forward pass of one learner"},
    {"backward", Unit::duration, "[0s, inf)", kRequired,
     "backward pass; gradients become ready in proportion to their elements, last tensor first"},
    {"optimizer", Unit::duration, "[0s, inf)", "0s", "update of the parameters"},
    {"encode", Unit::durations, "[0s, inf)", "{}",
     "by method: all encoding of one learner and step, shared out by the elements that each piece of work "
     "touches"},
    {"decode", Unit::durations, "[0s, inf)", "{}",
     "by method: all decoding of one learner and step, likewise"}};
constexpr Parameter kRecorded[] = {
    {"path", Unit::path, "", kRequired,
     "file of a timeline, as 'traincast import' writes it, relative to the scenario file"},
    kGiven[3],
    kGiven[4]};
constexpr Entry<TimingSource> kTimings[] = {
    {"measured",
     "compute and codec measured on this machine, one learner at a time",
     "",
     {},
     TimingSource::measured},
    {"given", "compute and codec as stated here", "", kGiven, TimingSource::given},
    {"recorded",
     "compute as somebody recorded it, tensor by tensor; codec as stated here, or by the accelerator that "
     "the "
     "record was made on",
     "", kRecorded, TimingSource::recorded},
    {"accelerator",
     "compute and codec from the description under 'accelerator': FLOPs and bytes of each layer, primitives "
     "of "
     "each method; nothing is measured",
     "",
     {},
     TimingSource::accelerator}};

constexpr Entry<Engine> kEngines[] = {
    {"auto",
     "max_plus where it is proven, simgrid up to 100,000 transfers a step, flow beyond; the report says "
     "which",
     "",
     {},
     Engine::automatic},
    {"simgrid",
     "every transfer is a SimGrid flow; the reference",
     "Casanova et al. 2014, SimGrid 3.32",
     {},
     Engine::simgrid},
    {"flow",
     "every transfer is a flow with its max-min fair share of each link; SimGrid's model in an event loop of "
     "traincast's own",
     "Bertsekas, Gallager 1992, Data networks, 6.5.2",
     {},
     Engine::flow},
    {"max_plus",
     "arrival times by recursion; exact where no two transfers can be on one link at once, refused elsewhere",
     "Baccelli et al. 1992, Synchronization and linearity",
     {},
     Engine::max_plus}};
constexpr Planned kLaterEngines[] = {
    {"repeated_round",
     "'max_plus' computes every round where no link is shared, in about a second for the 537 million "
     "transfers of a ring of 16,384; where links are shared, equal messages need not end together, and "
     "'flow' "
     "follows each"}};

}  // namespace

const Catalog<GradientSourceKind>& gradient_catalog() {
  static constexpr Catalog<GradientSourceKind> catalog("gradients", "source of gradients", kGradients);
  return catalog;
}

const Catalog<TimingSource>& timing_catalog() {
  static constexpr Catalog<TimingSource> catalog("timings", "source of timings", kTimings);
  return catalog;
}

const Catalog<Engine>& engine_catalog() {
  static constexpr Catalog<Engine> catalog("engines", "engine", kEngines, kLaterEngines);
  return catalog;
}

std::vector<std::vector<EntryInfo>> all_catalogs() {
  std::vector<EntryInfo> collectives;
  for (Word word : kWords)
    for (EntryInfo info : collective_catalog(word).describe()) {
      info.name = std::string(to_string(word)) + "/" + info.name;
      info.kind = "collectives";
      collectives.push_back(std::move(info));
    }
  // Described clusters are chosen like topologies and listed as a kind of their own.
  std::vector<EntryInfo> topologies, clusters;
  for (EntryInfo info : topology_catalog().describe()) {
    bool described = std::any_of(described_clusters().begin(), described_clusters().end(),
                                 [&](const auto& entry) { return entry.name == info.name; });
    if (described) info.kind = "clusters";
    (described ? clusters : topologies).push_back(std::move(info));
  }
  return {workload_catalog().describe(),
          dataset_catalog().describe(),
          shard_catalog().describe(),
          optimizer_catalog().describe(),
          schedule_catalog().describe(),
          gradient_catalog().describe(),
          timing_catalog().describe(),
          compressor_catalog().describe(),
          collectives,
          stack_catalog().describe(),
          topologies,
          clusters,
          speed_catalog().describe(),
          accelerator_catalog().describe(),
          training_catalog().describe(),
          engine_catalog().describe()};
}

}  // namespace traincast
