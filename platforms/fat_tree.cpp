// Fat trees of any number of levels: Zahavi, "D-Mod-K routing providing non-blocking traffic for shift
// permutations on real life fat trees" (2010), with one port per host and one cable between two switches.
//
// A switch is its level, the part of the hosts below it, and which of the copies above that part it is. One
// of level l has up[l] cables to as many copies of level l + 1.
#include <algorithm>
#include <optional>

#include "base/random.hpp"
#include "platforms/fabric.hpp"
#include "platforms/topologies.hpp"

namespace traincast {

namespace {

struct Level {
  std::uint32_t hosts;   // below one switch
  std::uint32_t copies;  // switches above the same hosts
  std::uint32_t down, up;
};

// Level by level up to the first that has both ends below it, then down the same switches' copies.
template <class ChooseUp, class Add>
void walk(const std::vector<Level>& levels, std::uint32_t from, std::uint32_t to, ChooseUp choose_up,
          Add add) {
  std::vector<std::pair<std::uint32_t, std::uint32_t>> climbed;  // copy and its cable up, by level
  std::uint32_t copy = 0;
  for (std::size_t l = 0; from / levels[l].hosts != to / levels[l].hosts; ++l) {
    std::uint32_t cable = choose_up(l);
    climbed.emplace_back(copy, cable);
    add(l, from / levels[l].hosts, copy, cable, true);
    copy += levels[l].copies * cable;
  }
  for (std::size_t l = climbed.size(); l-- > 0;)
    add(l, to / levels[l].hosts, climbed[l].first, climbed[l].second, false);
}

class FatTreeFabric : public Fabric {
 public:
  FatTreeFabric(std::vector<Level> levels, std::vector<Ports> cables, std::optional<std::uint64_t> ecmp_seed)
      : levels_(std::move(levels)), cables_(std::move(cables)), ecmp_seed_(ecmp_seed) {}

  void cross(std::uint32_t from, std::uint32_t to, std::vector<LinkId>& route) const override {
    auto choose = [&](std::size_t l) -> std::uint32_t {
      if (!ecmp_seed_) return to / levels_[l].copies % levels_[l].up;
      RandomStream draws({.seed = *ecmp_seed_,
                          .purpose = Purpose::routing,
                          .step = std::uint64_t{from} << 32 | to,
                          .tensor = static_cast<std::uint32_t>(l)});
      return static_cast<std::uint32_t>(draws.below(levels_[l].up));
    };
    walk(levels_, from, to, choose,
         [&](std::size_t l, std::uint32_t part, std::uint32_t copy, std::uint32_t cable, bool up) {
           std::uint32_t number = (part * levels_[l].copies + copy) * levels_[l].up + cable;
           route.push_back(up ? cables_[l].up(number) : cables_[l].down(number));
         });
  }

 private:
  std::vector<Level> levels_;
  std::vector<Ports> cables_;
  std::optional<std::uint64_t> ecmp_seed_;
};

class FatTree : public FabricKind {
 public:
  FatTree(std::vector<std::int64_t> down, std::vector<std::int64_t> up, LinkKind cable, bool ecmp,
          std::uint64_t seed)
      : cable_(std::move(cable)), ecmp_(ecmp), seed_(seed) {
    shape_fits_ = !down.empty() && up.size() + 1 == down.size();
    std::uint64_t copies = 1, cables = 0;
    for (std::size_t l = 0; l < down.size() && hosts_ <= kMost && copies <= kMost; ++l) {
      hosts_ *= static_cast<std::uint64_t>(down[l]);
      auto ups = static_cast<std::uint32_t>(l < up.size() ? up[l] : 1);
      levels_.push_back({static_cast<std::uint32_t>(hosts_), static_cast<std::uint32_t>(copies),
                         static_cast<std::uint32_t>(down[l]), ups});
      copies *= ups;
    }
    for (std::size_t l = 0; l + 1 < levels_.size() && hosts_ <= kMost; ++l)
      cables += hosts_ / levels_[l].hosts * levels_[l].copies * levels_[l].up;
    too_large_ = hosts_ > kMost || copies > kMost || cables > kMost;
  }

  std::string refuses(std::uint32_t ports) const override {
    if (!shape_fits_)
      return "a fat tree has one more level in 'down' than in 'up', as in \"down\": [16, 64], \"up\": [8]";
    if (too_large_) return "a fat tree may have " + std::to_string(kMost) + " hosts and cables at most";
    if (ports > hosts_)
      return "a fat tree with these 'down' has " + std::to_string(hosts_) + " places, and " +
             std::to_string(ports) + " are needed";
    if (!ecmp_ && seed_ != 1) return "'routing_seed' is for \"routing\": \"ecmp\"";
    return "";
  }

  std::unique_ptr<Fabric> build(std::uint32_t, std::vector<Link>& links) const override {
    std::vector<Ports> cables;
    for (std::size_t l = 0; l + 1 < levels_.size(); ++l) {
      auto parts = static_cast<std::uint32_t>(hosts_ / levels_[l].hosts);
      cables.emplace_back(links, "level" + std::to_string(l + 1), parts * levels_[l].copies * levels_[l].up,
                          cable_);
    }
    return std::make_unique<FatTreeFabric>(levels_, std::move(cables),
                                           ecmp_ ? std::optional(seed_) : std::nullopt);
  }

  std::vector<std::uint32_t> groups(std::uint32_t) const override {
    return std::vector<std::uint32_t>(hosts_ / levels_[0].hosts, levels_[0].hosts);
  }

 private:
  static constexpr std::uint64_t kMost = 1 << 22;

  LinkKind cable_;
  bool ecmp_;
  std::uint64_t seed_;
  std::uint64_t hosts_ = 1;
  std::vector<Level> levels_;
  bool shape_fits_ = false, too_large_ = false;
};

}  // namespace

std::unique_ptr<FabricKind> make_fat_tree_fabric(const Parameters& p, LinkKind link) {
  return std::make_unique<FatTree>(p.counts("down"), p.counts("up"), std::move(link),
                                   p.word("routing") == "ecmp",
                                   static_cast<std::uint64_t>(p.count("routing_seed")));
}

std::unique_ptr<Topology> make_fat_tree(const Parameters& p) {
  double bandwidth = p.number("bandwidth"), latency = p.number("latency");
  return make_switched({"network", bandwidth, latency},
                       make_fat_tree_fabric(p, {"fabric", bandwidth, latency}));
}

}  // namespace traincast
