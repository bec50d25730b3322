// Rings and tori: learners that are linked to their neighbours, each way by a link of its own; messages to
// others cross every learner's links on the way. Dimension by dimension, the first one first, and in each the
// shorter way around; upwards where both are equally long.
#include <algorithm>

#include "platforms/link_table.hpp"
#include "platforms/topologies.hpp"

namespace traincast {

namespace {

class TorusCluster : public Cluster {
 public:
  TorusCluster(std::uint32_t learners, std::vector<Link> links, std::vector<std::uint32_t> dimensions)
      : Cluster(learners, std::move(links)), dimensions_(std::move(dimensions)) {}

  void route(std::uint32_t from, std::uint32_t to, std::vector<LinkId>& into) const override {
    into.clear();
    std::uint32_t at = from, stride = 1;
    for (std::uint32_t d = 0; d < dimensions_.size(); ++d) {
      std::uint32_t size = dimensions_[d], here = at / stride % size, there = to / stride % size;
      std::uint32_t up = (there + size - here) % size;
      bool upwards = 2 * up <= size;
      for (; here != there; here = at / stride % size) {
        into.push_back(2 * (at * static_cast<std::uint32_t>(dimensions_.size()) + d) + (upwards ? 0 : 1));
        std::uint32_t next = (here + (upwards ? 1 : size - 1)) % size;
        at = at - here * stride + next * stride;
      }
      stride *= size;
    }
  }

 private:
  std::vector<std::uint32_t> dimensions_;
};

// For each place and dimension a link upwards and one downwards. Between two places of a dimension of size
// two there is one cable: only the links upwards are used.
std::unique_ptr<Cluster> build_torus(std::uint32_t learners, const std::vector<std::uint32_t>& dimensions,
                                     const LinkKind& kind) {
  std::uint32_t places = 1;
  for (std::uint32_t size : dimensions) places *= size;
  std::vector<Link> links;
  links.reserve(std::size_t{2} * places * dimensions.size());
  for (std::uint32_t place = 0; place < places; ++place)
    for (std::size_t d = 0; d < dimensions.size(); ++d)
      for (const char* way : {"+", "-"})
        add_link(links, "link-" + std::to_string(place) + way + std::to_string(d), kind);
  return std::make_unique<TorusCluster>(learners, std::move(links), dimensions);
}

class Ring : public Topology {
 public:
  explicit Ring(LinkKind link) : link_(std::move(link)) {}

  std::string refuses(std::uint32_t) const override { return ""; }
  std::unique_ptr<Cluster> build(std::uint32_t learners) const override {
    return build_torus(learners, {learners}, link_);
  }

 private:
  LinkKind link_;
};

class Torus : public Topology {
 public:
  Torus(const std::vector<std::int64_t>& dimensions, LinkKind link) : link_(std::move(link)) {
    for (std::int64_t size : dimensions) {
      dimensions_.push_back(static_cast<std::uint32_t>(size));
      if (places_ <= kMost) places_ *= static_cast<std::uint64_t>(size);
    }
  }

  std::string refuses(std::uint32_t learners) const override {
    if (dimensions_.empty())
      return "a torus needs the size of at least one dimension, as in \"dimensions\": [4, 4]";
    if (places_ * dimensions_.size() > kMost)
      return "a torus may have " + std::to_string(kMost) + " places times dimensions at most";
    if (learners > places_)
      return "a torus of " + shape() + " has " + std::to_string(places_) + " places, and " +
             std::to_string(learners) + " are needed";
    return "";
  }

  std::unique_ptr<Cluster> build(std::uint32_t learners) const override {
    return build_torus(learners, dimensions_, link_);
  }

  std::vector<std::uint32_t> groups(std::uint32_t) const override {
    return std::vector<std::uint32_t>(places_ / dimensions_[0], dimensions_[0]);
  }

 private:
  static constexpr std::uint64_t kMost = 1 << 22;

  std::string shape() const {
    std::string text;
    for (std::uint32_t size : dimensions_) text += (text.empty() ? "" : " x ") + std::to_string(size);
    return text;
  }

  LinkKind link_;
  std::vector<std::uint32_t> dimensions_;
  std::uint64_t places_ = 1;
};

}  // namespace

std::unique_ptr<Topology> make_ring(const Parameters& p) {
  return std::make_unique<Ring>(LinkKind{"network", p.number("bandwidth"), p.number("latency")});
}

std::unique_ptr<Topology> make_torus(const Parameters& p) {
  return std::make_unique<Torus>(p.counts("dimensions"),
                                 LinkKind{"network", p.number("bandwidth"), p.number("latency")});
}

}  // namespace traincast
