// Without actors: a transfer waits for its route's latency, then crosses SimGrid links of zero latency. With
// latencies on the links, SimGrid would give flows shares by their latency, and its lazy solver would
// overload links where flows of one sender end their latency together.
#include "simulator/replay/simgrid_network.hpp"

#include <simgrid/kernel/Timer.hpp>
#include <simgrid/s4u/Comm.hpp>
#include <simgrid/s4u/Engine.hpp>
#include <simgrid/s4u/Host.hpp>

#include <simgrid/version.h>  // uses macros of the headers above

#include <algorithm>
#include <optional>
#include <queue>
#include <unordered_map>

#include "base/error.hpp"
#include "platforms/simgrid_platform.hpp"
#include "simulator/replay/link_traffic.hpp"

namespace traincast {

namespace {

namespace s4u = simgrid::s4u;

class Engine {
 public:
  Engine() {
    if (s4u::Engine::has_instance())
      throw SimulationError("replay: SimGrid allows one engine per process, and this process has one");
    std::string program = "traincast", quiet = "--log=root.thres:error";
    char* arguments[] = {program.data(), quiet.data(), nullptr};
    int count = 2;
    engine_.emplace(&count, arguments);
    // Times as on paper: no correction factors, no cap by a TCP window, no share for acknowledgements.
    // Moments closer than surf/precision would be taken for one.
    for (const char* setting : {"network/model:CM02", "network/TCP-gamma:0", "network/crosstraffic:0",
                                "surf/precision:1e-12", "maxmin/precision:1e-9"})
      s4u::Engine::set_config(setting);
  }
  s4u::Engine& operator*() { return *engine_; }

 private:
  std::optional<s4u::Engine> engine_;
};

}  // namespace

class SimGridNetwork::State {
 public:
  explicit State(const Cluster& cluster)
      : cluster_(cluster), platform_(cluster), link_bytes_(cluster.links().size(), 0) {
    s4u::Comm::on_completion_cb([this](const s4u::Activity& activity) { arrived(activity); });
  }

  void after(double seconds, std::function<void()> then) {
    events_.push({s4u::Engine::get_clock() + seconds, next_event_++, std::move(then)});
    arm();
  }

  void transfer(const Crossing& crossing, std::function<void()> then) {
    const Route& path = route(crossing.from, crossing.to);
    for (LinkId link : path.links) link_bytes_[link] += crossing.bytes;
    double latency = path.latency + crossing.latency_s;
    if (crossing.load == 0) return after(latency, std::move(then));
    after(latency, [this, crossing, then = std::move(then)] {
      start_flow(crossing.from, crossing.to, crossing.load, then);
    });
  }

  void run() { (*engine_).run(); }

  std::vector<TierLoad> tier_loads() const { return traincast::tier_loads(cluster_.links(), link_bytes_); }

 private:
  struct Event {
    double time;
    std::uint64_t number;
    std::function<void()> then;
    bool operator<(const Event& other) const {  // the greatest of a priority_queue is its first
      return time != other.time ? time > other.time : number > other.number;
    }
  };
  struct Route {
    std::vector<LinkId> links;
    double latency = 0;
  };
  struct Flow {
    s4u::CommPtr comm;
    std::function<void()> then;
  };

  const Route& route(Rank from, Rank to) {
    auto [place, added] = routes_.try_emplace(std::uint64_t{from} << 32 | to);
    if (!added) return place->second;
    Route& fresh = place->second;
    cluster_.route(from, to, fresh.links);
    fresh.latency = cluster_.latency(fresh.links);
    platform_.connect(from, to, fresh.links);
    return place->second;
  }

  // SimGrid's own timers come in no order when they are due together, so it is given one for the first event
  // only.
  void arm() {
    if (happening_ || events_.empty()) return;
    double first = events_.top().time;
    if (armed_ && *armed_ <= first) return;
    armed_ = first;
    simgrid::kernel::timer::Timer::set(first, [this, first] {
      if (armed_ == first) armed_.reset();
      happen(first);
    });
  }

  void happen(double until) {
    finished_.clear();
    happening_ = true;
    until = std::max(until, s4u::Engine::get_clock());
    while (!events_.empty() && events_.top().time <= until) {
      auto then = std::move(const_cast<Event&>(events_.top()).then);
      events_.pop();
      then();
    }
    happening_ = false;
    arm();
  }

  void start_flow(Rank from, Rank to, Bytes bytes, std::function<void()> then) {
    s4u::CommPtr comm = s4u::Comm::sendto_init();
    comm->set_payload_size(bytes);
    const s4u::Activity* key = comm.get();
    flows_.emplace(key, Flow{comm, std::move(then)});
    comm->set_source(platform_.host(from));
    comm->set_destination(
        platform_.host(to));  // the last of these starts it, so its size must be known by then
  }

  // SimGrid still uses the activity after this callback: it is let go from a timer.
  void arrived(const s4u::Activity& activity) {
    auto place = flows_.find(&activity);
    if (place == flows_.end()) return;
    auto then = std::move(place->second.then);
    finished_.push_back(std::move(place->second.comm));
    flows_.erase(place);
    if (activity.get_state() != s4u::Activity::State::FINISHED)
      throw SimulationError("replay: a transfer ended in state " + std::string(activity.get_state_str()));
    then();
  }

  Engine engine_;
  const Cluster& cluster_;
  SimGridPlatform platform_;
  std::vector<Bytes> link_bytes_;
  std::unordered_map<std::uint64_t, Route> routes_;  // by both ranks; only those in use
  std::priority_queue<Event> events_;
  std::uint64_t next_event_ = 0;
  std::optional<double> armed_;
  bool happening_ = false;
  std::unordered_map<const s4u::Activity*, Flow> flows_;
  std::vector<s4u::CommPtr> finished_;
};

SimGridNetwork::SimGridNetwork(const Cluster& cluster) : state_(std::make_unique<State>(cluster)) {}

SimGridNetwork::~SimGridNetwork() = default;

double SimGridNetwork::now() const { return s4u::Engine::get_clock(); }

void SimGridNetwork::after(double seconds, std::function<void()> then) {
  state_->after(seconds, std::move(then));
}

void SimGridNetwork::transfer(const Crossing& crossing, std::function<void()> arrived) {
  state_->transfer(crossing, std::move(arrived));
}

void SimGridNetwork::run() { state_->run(); }

std::vector<TierLoad> SimGridNetwork::tier_loads() const { return state_->tier_loads(); }

std::string simgrid_version() {
  return std::to_string(SIMGRID_VERSION_MAJOR) + "." + std::to_string(SIMGRID_VERSION_MINOR);
}

}  // namespace traincast
