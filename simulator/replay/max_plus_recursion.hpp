// Collectives whose transfers share no link: when each arrives follows from when its sender and receiver are
// free, and no flow is simulated. Exact, uneven sizes and late ranks included. The proof is made on the way,
// pair by pair.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "simulator/collectives/transport.hpp"
#include "simulator/replay/link_traffic.hpp"
#include "simulator/replay/route_table.hpp"
#include "simulator/replay/sharing_proof.hpp"

namespace traincast {

class MaxPlusRecursion {
 public:
  /// `cluster` must outlive this.
  MaxPlusRecursion(const Cluster& cluster, Transport transport);

  /// When each rank has finished, given when each enters; infinite for ranks that cannot finish, and for
  /// those that never enter. Throws NotProven where a link could be shared, with all that ran before.
  std::vector<double> run(const Schedule& schedule, const std::string& name, std::span<const double> enter);

  const std::vector<Bytes>& sent_bytes() const { return sent_bytes_; }
  const std::vector<Bytes>& received_bytes() const { return received_bytes_; }
  std::uint64_t transfers() const { return transfers_; }
  /// As CollectiveEngine has it, of all runs.
  std::vector<std::string> waiting() const;
  std::vector<TierLoad> tier_loads() const { return traffic_.tier_loads(routes_); }

 private:
  static constexpr Rank kNobody = UINT32_MAX;

  struct Message {
    Rank to;
    Bytes bytes;
    double ready;  // when the program came to it
  };
  /// One channel of one rank.
  struct Lane {
    Rank rank = 0;
    std::uint32_t channel = 0;
    std::unique_ptr<RankProgram> program;  // null while the rank takes no part
    bool program_over = false;
    double time = 0;         // how far the program has come
    double sent = 0;         // when what it sent last has arrived
    Rank awaited = kNobody;  // whom the program waits for
    Bytes awaited_bytes = 0;
    bool works_on_awaited = false;
    HopWork work = HopWork::sum;
    std::vector<Message> outbox;  // from next_message on
    std::size_t next_message = 0;
    Rank last_peer = kNobody;  // of what it sent, and the hop to it
    PathId path = 0;
    double latency = 0, seconds_per_byte = 0;
    bool proven = false;  // some bytes have gone there before

    bool has_message() const { return next_message < outbox.size(); }
    bool is_over() const { return program_over && !has_message(); }
  };

  Lane& lane(Rank rank, std::uint32_t channel) { return lanes_[channel * sent_bytes_.size() + rank]; }
  void begin(const Schedule& schedule, std::span<const double> enter);
  void go_on(Lane& lane, const std::string& name);
  void advance(Lane& lane, const std::string& name);
  /// Its next message, if the receiver waits for it.
  bool try_to_send(Lane& sender, const std::string& name);
  PathId hop(Rank from, Rank to, std::uint32_t channel, bool carries_bytes);
  std::vector<double> run_programs(const Schedule& schedule, const std::string& name,
                                   std::span<const double> enter);
  std::vector<double> run_ring(const RingShape& shape, std::span<const double> enter);

  Transport transport_;
  RouteTable routes_;
  SharingProof proof_;
  LinkTraffic traffic_;
  std::vector<std::vector<bool>> proven_;  // by channel and path
  std::vector<Lane> lanes_;                // by channel, then rank
  std::vector<Lane*> runnable_;
  std::vector<Bytes> sent_bytes_, received_bytes_;
  std::uint64_t transfers_ = 0;
  std::vector<std::pair<Rank, std::string>> waiting_;
};

}  // namespace traincast
