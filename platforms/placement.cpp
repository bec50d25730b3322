#include "platforms/placement.hpp"

#include <algorithm>
#include <numeric>

#include "base/random.hpp"

namespace traincast {

namespace {

class PlacedCluster : public Cluster {
 public:
  PlacedCluster(std::unique_ptr<Cluster> cluster, std::vector<std::uint32_t> places)
      : Cluster(static_cast<std::uint32_t>(places.size()), cluster->links(), cluster->servers()),
        cluster_(std::move(cluster)),
        places_(std::move(places)) {}

  void route(std::uint32_t from, std::uint32_t to, std::vector<LinkId>& into) const override {
    cluster_->route(place(from), place(to), into);
  }

 private:
  // Servers stand behind all places.
  std::uint32_t place(std::uint32_t host) const {
    return host < learners() ? places_[host] : cluster_->learners() + (host - learners());
  }

  std::unique_ptr<Cluster> cluster_;
  std::vector<std::uint32_t> places_;
};

class Placed : public Topology {
 public:
  Placed(std::unique_ptr<Topology> topology, const std::string& placement, std::uint64_t seed)
      : topology_(std::move(topology)), placement_(placement), seed_(seed) {}

  std::string refuses(std::uint32_t learners) const override {
    if (std::string why = topology_->refuses(learners); !why.empty()) return why;
    if (placement_ != "random" && seed_ != 1) return "'placement_seed' is for \"placement\": \"random\"";
    if (placement_ == "round_robin" && topology_->groups(learners).empty())
      return "placement 'round_robin' deals learners out to nodes or switches, and here every learner is "
             "alone on its own; known: contiguous, random";
    return "";
  }

  std::unique_ptr<Cluster> build(std::uint32_t learners) const override {
    if (placement_ == "contiguous") return topology_->build(learners);
    auto places = placement_ == "random" ? random(learners) : round_robin(topology_->groups(learners));
    auto cluster = topology_->build(static_cast<std::uint32_t>(places.size()));
    places.resize(learners);
    return std::make_unique<PlacedCluster>(std::move(cluster), std::move(places));
  }

  std::vector<std::uint32_t> groups(std::uint32_t learners) const override {
    return topology_->groups(learners);
  }

  std::uint32_t servers() const override { return topology_->servers(); }
  std::uint32_t node_size(std::uint32_t learners) const override {
    return as_built() ? topology_->node_size(learners) : 1;
  }

  double longest_latency(std::uint32_t learners) const override {
    return as_built() ? topology_->longest_latency(learners) : Topology::longest_latency(learners);
  }
  double narrowest_bandwidth(std::uint32_t learners) const override {
    return as_built() ? topology_->narrowest_bandwidth(learners) : Topology::narrowest_bandwidth(learners);
  }
  std::uint32_t sharing(std::uint32_t learners) const override {
    return as_built() ? topology_->sharing(learners) : Topology::sharing(learners);
  }

 private:
  bool as_built() const { return placement_ == "contiguous"; }

  // All places, in the order in which learners take them.
  static std::vector<std::uint32_t> round_robin(const std::vector<std::uint32_t>& groups) {
    std::vector<std::uint32_t> places;
    std::uint32_t largest = *std::max_element(groups.begin(), groups.end());
    for (std::uint32_t slot = 0; slot < largest; ++slot) {
      std::uint32_t first = 0;
      for (std::uint32_t size : groups) {
        if (slot < size) places.push_back(first + slot);
        first += size;
      }
    }
    return places;
  }

  // Fisher and Yates.
  std::vector<std::uint32_t> random(std::uint32_t learners) const {
    auto groups = topology_->groups(learners);
    std::vector<std::uint32_t> places(groups.empty() ? learners
                                                     : std::accumulate(groups.begin(), groups.end(), 0U));
    std::iota(places.begin(), places.end(), 0U);
    RandomStream draws({.seed = seed_, .purpose = Purpose::placement});
    for (std::size_t left = places.size(); left > 1; --left)
      std::swap(places[left - 1], places[draws.below(left)]);
    return places;
  }

  std::unique_ptr<Topology> topology_;
  std::string placement_;
  std::uint64_t seed_;
};

}  // namespace

std::unique_ptr<Topology> place(std::unique_ptr<Topology> topology, const Parameters& p) {
  return std::make_unique<Placed>(std::move(topology), p.word("placement"),
                                  static_cast<std::uint64_t>(p.count("placement_seed")));
}

}  // namespace traincast
