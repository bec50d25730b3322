// Any SimGrid platform file: its hosts, in the order of the file, are the learners' places. SimGrid reads it
// in a child process, since it allows one engine per process, and tells links and routes.
#include <simgrid/s4u/Engine.hpp>
#include <simgrid/s4u/Host.hpp>
#include <simgrid/s4u/Link.hpp>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <map>
#include <regex>
#include <set>

#include "base/child_processes.hpp"
#include "base/error.hpp"
#include "base/files.hpp"
#include "base/names.hpp"
#include "base/serial.hpp"
#include "base/units.hpp"
#include "platforms/topologies.hpp"

namespace traincast {

namespace {

namespace s4u = simgrid::s4u;

constexpr std::uint32_t kMost = 1024;  // routes are kept for every pair

// The name without what numbers it: "c_link_3_UP" is of tier "c_link", "eth0" of "eth".
std::string tier_of(std::string name) {
  for (const char* direction : {"_UP", "_DOWN"})
    if (name.ends_with(direction)) name.resize(name.size() - std::string_view(direction).size());
  name.resize(std::min(name.size(), name.find_first_of("0123456789")));
  while (!name.empty() && (name.back() == '-' || name.back() == '_')) name.pop_back();
  return name.empty() ? "network" : name;
}

// With blanks for comments, so that lines keep their numbers.
std::string without_comments(std::string text) {
  for (std::size_t at = 0; (at = text.find("<!--", at)) != text.npos;)
    for (std::size_t end = std::min(text.size(), text.find("-->", at)); at < end; ++at)
      if (text[at] != '\n') text[at] = ' ';
  return text;
}

// Clusters here are the same from the beginning of a step to its end.
void refuse_profiles(const std::string& text) {
  static const std::regex profile(R"(\b(bandwidth|latency|state)_file\s*=|<trace_connect\b)");
  std::smatch found;
  if (!std::regex_search(text, found, profile)) return;
  throw InputError("line " +
                   std::to_string(1 + std::count(text.begin(), text.begin() + found.position(), '\n')) +
                   " lets something change with time, which nothing does here; leave its profile out");
}

void refuse_unlike_ours(const s4u::Link& link) {
  std::string name = "link '" + link.get_name() + "' ";
  switch (link.get_sharing_policy()) {
    case s4u::Link::SharingPolicy::FATPIPE:
      throw InputError(
          name +
          "is a FATPIPE, which gives every flow all of its bandwidth; links here are shared: make "
          "it SHARED or SPLITDUPLEX");
    case s4u::Link::SharingPolicy::WIFI:
      throw InputError(
          name +
          "is WIFI, whose bandwidth depends on who talks; links here have one: make it SHARED or "
          "SPLITDUPLEX");
    default: break;
  }
  if (!(link.get_bandwidth() > 0) || !std::isfinite(link.get_bandwidth()))
    throw InputError(name + "needs a bandwidth above 0, got " + format_bandwidth(link.get_bandwidth()));
  if (!(link.get_latency() >= 0) || !std::isfinite(link.get_latency()))
    throw InputError(name + "needs a latency of 0 or more, got " + format_seconds(link.get_latency()));
}

// The value of a tag's attribute; "" without it.
std::string attribute(const std::string& tag, const std::string& name) {
  std::smatch found;
  return std::regex_search(tag, found, std::regex("\\b" + name + R"(\s*=\s*["']([^"']*)["'])")) ? found.str(1)
                                                                                                : "";
}

// SimGrid 3.32 looks for the cable to each other group at a router of its own in the first chassis.
std::string why_it_may_break(const std::string& text) {
  static const std::regex cluster(R"(<cluster\b[^>]*>)");
  static const std::regex shape(R"(\s*(\d{1,9})\s*,[^;]*;[^;]*;\s*(\d{1,9})\s*,[^;]*;.*)");
  for (std::sregex_iterator at(text.begin(), text.end(), cluster), end; at != end; ++at) {
    std::string parameters = attribute(at->str(), "topo_parameters");
    std::smatch found;
    if (attribute(at->str(), "topology") != "DRAGONFLY" || !std::regex_match(parameters, found, shape))
      continue;
    if (std::stoull(found[1]) > std::stoull(found[2]))
      return "its dragonfly has " + found.str(1) + " groups and " + found.str(2) +
             " routers in a chassis, and SimGrid 3.32 crashes unless there are as many; the topology "
             "'dragonfly' has no such limit";
  }
  return "is there a route between every two hosts?";
}

struct PlatformFile {
  std::uint64_t hosts = 0;
  std::vector<Link> links;
  std::vector<std::vector<LinkId>> routes;  // from the first learner to all, from the second, …
};

// In the child.
PlatformFile read_with_simgrid(const std::string& file, std::uint32_t learners) {
  std::string program = "traincast", quiet = "--log=root.thres:critical";
  char* arguments[] = {program.data(), quiet.data(), nullptr};
  int count = 2;
  s4u::Engine engine(&count, arguments);
  std::vector<s4u::Host*> hosts;
  std::set<const s4u::Host*> known_hosts;
  // Called again for every host when the platform is sealed; get_all_hosts() would sort them by name.
  s4u::Host::on_creation_cb([&](s4u::Host& host) {
    if (known_hosts.insert(&host).second) hosts.push_back(&host);
  });
  engine.load_platform(file);
  engine.seal_platform();

  PlatformFile result;
  result.hosts = hosts.size();
  if (learners > hosts.size()) return result;
  std::map<const s4u::Link*, LinkId> known;
  auto id_of = [&](const s4u::Link* link) {
    auto [at, fresh] = known.try_emplace(link, static_cast<LinkId>(result.links.size()));
    if (fresh) {
      refuse_unlike_ours(*link);
      result.links.push_back(
          {link->get_name(), tier_of(link->get_name()), link->get_bandwidth(), link->get_latency()});
    }
    return at->second;
  };
  for (std::uint32_t from = 0; from < learners; ++from)
    for (std::uint32_t to = 0; to < learners; ++to) {
      std::vector<LinkId>& route = result.routes.emplace_back();
      if (from == to) continue;
      std::vector<s4u::Link*> links;
      double latency = 0;
      hosts[from]->route_to(hosts[to], links, &latency);
      for (const s4u::Link* link : links) route.push_back(id_of(link));
      std::vector<LinkId> sorted = route;
      std::sort(sorted.begin(), sorted.end());
      if (route.empty() || std::adjacent_find(sorted.begin(), sorted.end()) != sorted.end())
        throw InputError("the route from '" + hosts[from]->get_name() + "' to '" + hosts[to]->get_name() +
                         "' " + (route.empty() ? "has no link" : "crosses a link twice"));
      double of_links = 0;
      for (LinkId link : route) of_links += result.links[link].latency;
      if (std::abs(latency - of_links) > 1e-9 * latency)
        throw InputError("the route from '" + hosts[from]->get_name() + "' to '" + hosts[to]->get_name() +
                         "' takes " + format_seconds(latency) + ", and its links " +
                         format_seconds(of_links) +
                         "; latencies here are those of links, not of coordinates");
    }
  return result;
}

std::string packed(const PlatformFile& file) {
  Writer writer;
  writer.put(file.hosts);
  writer.put<std::uint64_t>(file.links.size());
  for (const Link& link : file.links) {
    writer.put_text(link.name);
    writer.put_text(link.tier);
    writer.put(link.bandwidth);
    writer.put(link.latency);
  }
  writer.put<std::uint64_t>(file.routes.size());
  for (const auto& route : file.routes) writer.put_all(std::span<const LinkId>(route));
  return writer.bytes();
}

PlatformFile unpacked(const std::string& bytes) {
  Reader reader(bytes);
  PlatformFile file;
  file.hosts = reader.get<std::uint64_t>();
  file.links.resize(reader.get<std::uint64_t>());
  for (Link& link : file.links) {
    link.name = reader.get_text();
    link.tier = reader.get_text();
    link.bandwidth = reader.get<double>();
    link.latency = reader.get<double>();
  }
  file.routes.resize(reader.get<std::uint64_t>());
  for (auto& route : file.routes) route = reader.get_all<LinkId>();
  return file;
}

class XmlCluster : public Cluster {
 public:
  XmlCluster(std::uint32_t learners, PlatformFile file)
      : Cluster(learners, std::move(file.links)), routes_(std::move(file.routes)) {}

  void route(std::uint32_t from, std::uint32_t to, std::vector<LinkId>& into) const override {
    into = routes_[std::size_t{from} * learners() + to];
  }

 private:
  std::vector<std::vector<LinkId>> routes_;
};

class Xml : public Topology {
 public:
  Xml(std::string file, double bandwidth, std::string tier)
      : file_(std::move(file)), bandwidth_(bandwidth), tier_(std::move(tier)) {}

  std::string refuses(std::uint32_t learners) const override {
    if (learners > kMost)
      return "a platform file can hold " + std::to_string(kMost) + " learners at most, got " +
             std::to_string(learners);
    try {
      PlatformFile file = read(learners);
      if (learners > file.hosts)
        return file_ + " has " + std::to_string(file.hosts) + " hosts, and " + std::to_string(learners) +
               " are needed";
      return refuses_tier(file);
    } catch (const InputError& error) {
      return error.what();
    }
  }

  std::unique_ptr<Cluster> build(std::uint32_t learners) const override {
    PlatformFile file = read(learners);
    for (Link& link : file.links)
      if (bandwidth_ > 0 && (tier_.empty() || link.tier == tier_)) link.bandwidth = bandwidth_;
    return std::make_unique<XmlCluster>(learners, std::move(file));
  }

 private:
  PlatformFile read(std::uint32_t learners) const {
    auto task = [&](std::size_t) {
      try {
        // SimGrid tells better than we do what is wrong with a file that cannot be read.
        if (std::filesystem::is_directory(file_)) throw InputError("it is a folder");
        if (std::filesystem::is_regular_file(file_)) refuse_profiles(without_comments(read_text_file(file_)));
        return packed(read_with_simgrid(file_, learners));
      } catch (const std::exception& error) {
        std::string why = error.what();
        while (!why.empty() && why.back() == '\n') why.pop_back();
        throw InputError("platform file " + file_ + ": " + why);
      }
    };
    try {
      return unpacked(run_in_children(1, 1, task, nullptr).front());
    } catch (const SimulationError&) {
      throw InputError("platform file " + file_ + ": SimGrid broke off while it read the file; " +
                       why_it_may_break(without_comments(read_text_file(file_))));
    }
  }

  std::string refuses_tier(const PlatformFile& file) const {
    if (tier_.empty() || file.links.empty()) return "";
    std::vector<std::string> tiers;
    for (const Link& link : file.links)
      if (std::find(tiers.begin(), tiers.end(), link.tier) == tiers.end()) tiers.push_back(link.tier);
    if (std::find(tiers.begin(), tiers.end(), tier_) != tiers.end()) return "";
    return "platform file " + file_ + " has no link of tier '" + tier_ + "'" + known_names(tier_, tiers);
  }

  std::string file_;
  double bandwidth_;  // 0: as in the file
  std::string tier_;
};

}  // namespace

std::unique_ptr<Topology> make_xml(const Parameters& p) {
  return std::make_unique<Xml>(p.path("path"), p.number("bandwidth"), p.word("bandwidth_of"));
}

}  // namespace traincast
