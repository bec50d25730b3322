// Sums at servers: every message is cut into as many parts as there are servers, server j takes part j of
// every learner, and sends what it makes of them to every learner. A server takes and sends one message at a
// time, in an order in which no two servers wait for the same learner. A learner without a message sends
// nothing, and takes its answers after the others. Its own hosts: Li et al. 2014, Scaling
// Distributed Machine Learning with the Parameter Server; beside every learner: Jiang et al. 2020, BytePS.
#include <algorithm>

#include "simulator/collectives/algorithms.hpp"
#include "simulator/collectives/closed_forms.hpp"
#include "simulator/collectives/program_parts.hpp"

namespace traincast {

namespace {

constexpr auto kSend = Action::Kind::send;
constexpr auto kReceive = Action::Kind::receive;
constexpr auto kReduce = Action::Kind::reduce;

/// Element j of the collective's buffer stands for part j, however long.
class Parts {
 public:
  Parts(const Collective& collective, std::uint32_t servers) : collective_(collective), servers_(servers) {}

  std::uint32_t servers() const { return servers_; }
  bool pushes(Rank learner) const { return collective_.bytes[learner] > 0; }
  std::uint32_t pushers() const {
    return static_cast<std::uint32_t>(
        std::ranges::count_if(collective_.bytes, [](Bytes bytes) { return bytes > 0; }));
  }
  Action pushed(Action::Kind kind, Rank peer, Rank learner, std::uint32_t part) const {
    return {kind, peer, part, part + 1, share(collective_.bytes[learner], part)};
  }
  Action pulled(Action::Kind kind, Rank peer, std::uint32_t part) const {
    return {kind, peer, part, part + 1, share(collective_.pulled, part)};
  }

 private:
  Bytes share(Bytes bytes, std::uint32_t part) const {
    return (part + 1) * bytes / servers_ - part * bytes / servers_;
  }
  Collective collective_;
  std::uint32_t servers_;
};

// Server j begins with learner ⌊jN/s⌋ and goes on to the next; learner i meets the servers in the same order.
class Turns {
 public:
  Turns(std::uint32_t learners, std::uint32_t servers) : learners_(learners), servers_(servers) {}
  Rank learner(std::uint32_t server, std::uint32_t turn) const { return (first(server) + turn) % learners_; }
  std::vector<std::uint32_t> servers_of(Rank learner) const {
    std::vector<std::uint32_t> order(servers_);
    for (std::uint32_t server = 0; server < servers_; ++server) order[server] = server;
    auto turn = [&](std::uint32_t server) { return (learner + learners_ - first(server)) % learners_; };
    std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) { return turn(a) < turn(b); });
    return order;
  }

 private:
  Rank first(std::uint32_t server) const {
    return static_cast<Rank>(std::uint64_t{server} * learners_ / servers_ % learners_);
  }
  std::uint32_t learners_, servers_;
};

std::unique_ptr<Schedule> at_servers(const Collective& collective) {
  std::uint32_t learners = collective.ranks;
  auto parts = std::make_shared<const Parts>(collective, collective.servers);
  Turns turns(learners, collective.servers);
  return make_schedule(learners + collective.servers, [=](Rank rank) {
    std::vector<Action> actions;
    if (rank < learners) {
      if (parts->pushes(rank))
        for (std::uint32_t server : turns.servers_of(rank))
          actions.push_back(parts->pushed(kSend, learners + server, rank, server));
      for (std::uint32_t server : turns.servers_of(rank))
        actions.push_back(parts->pulled(kReceive, learners + server, server));
      return steps(std::move(actions));
    }
    std::uint32_t server = rank - learners;
    std::vector<Rank> order;
    for (std::uint32_t turn = 0; turn < learners; ++turn) order.push_back(turns.learner(server, turn));
    auto silent = std::ranges::stable_partition(order, [&](Rank learner) { return parts->pushes(learner); });
    for (auto learner = order.begin(); learner != silent.begin(); ++learner)
      actions.push_back(parts->pushed(kReduce, *learner, *learner, server));
    for (Rank learner : order) actions.push_back(parts->pulled(kSend, learner, server));
    return steps(std::move(actions));
  });
}

// Every server's port carries its share of all messages in, then of all answers out.
double at_servers_seconds(const Collective& collective, const NetworkEstimate& network) {
  auto largest = static_cast<double>(*std::max_element(collective.bytes.begin(), collective.bytes.end()));
  double servers = collective.servers;
  return Parts(collective, collective.servers).pushers() * reduction_seconds(largest / servers, network) +
         collective.ranks * transfer_seconds(static_cast<double>(collective.pulled) / servers, network);
}

std::string refuses_without_servers(const Collective& collective) {
  return collective.servers > 0 ? "" : "needs servers, and the platform has none";
}

std::unique_ptr<Schedule> colocated(const Collective& collective) {
  std::uint32_t ranks = collective.ranks;
  auto parts = std::make_shared<const Parts>(collective, ranks);
  return make_schedule(ranks, [=](Rank rank) {
    auto every = pairwise_rounds(rank, ranks, kReduce, [parts](auto kind, Rank peer, Rank from, Rank to) {
      return parts->pushed(kind, peer, from, to);
    });
    auto push = only(std::move(every), [parts, rank](const Action& action) {
      return parts->pushes(action.kind == kSend ? rank : action.peer);
    });
    auto pull = pairwise_rounds(rank, ranks, kReceive, [parts](auto kind, Rank peer, Rank from, Rank) {
      return parts->pulled(kind, peer, from);
    });
    return one_after_another(std::move(push), std::move(pull));
  });
}

double colocated_seconds(const Collective& collective, const NetworkEstimate& network) {
  double ranks = collective.ranks;
  auto largest = static_cast<double>(*std::max_element(collective.bytes.begin(), collective.bytes.end()));
  double seconds = 0;
  for (std::uint32_t distance = 1; distance < collective.ranks; ++distance) {
    double flows = flows_ahead(std::min(distance, collective.ranks - distance), network);
    seconds += reduction_seconds(largest / ranks, network, flows) +
               transfer_seconds(static_cast<double>(collective.pulled) / ranks, network, flows);
  }
  return seconds;
}

}  // namespace

const CollectiveAlgorithm kServersPushPull{Word::push_pull, refuses_without_servers, at_servers,
                                           at_servers_seconds};
const CollectiveAlgorithm kColocatedPushPull{Word::push_pull, refuses_nothing, colocated, colocated_seconds};

}  // namespace traincast
