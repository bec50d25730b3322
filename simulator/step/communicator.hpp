// Carries out schedules among ranks: transfers start when sender and receiver have both come to them. Each
// rank goes through the collectives that it entered one behind the other.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <queue>
#include <string>
#include <vector>

#include "simulator/step/network.hpp"

namespace traincast {

class Communicator {
 public:
  Communicator(Network& network, std::uint32_t ranks);

  /// The schedule must outlive the run. `finished` is called once for each rank, when its program is over and
  /// what it sent has arrived. The name is for messages: "all_reduce of bucket 1, phase 0".
  std::size_t add(const Schedule& schedule, std::string name, std::function<void(Rank)> finished);

  /// The rank takes part as soon as it has finished what it entered before. All ranks must enter collectives
  /// in the same order.
  void enter(Rank rank, std::size_t collective);

  const std::vector<Bytes>& sent_bytes() const { return sent_bytes_; }
  const std::vector<Bytes>& received_bytes() const { return received_bytes_; }
  std::uint64_t transfers() const { return transfers_; }

  /// Of each rank inside a collective, for whom it waits: "learner 3 waits for a message from learner 2 in
  /// …".
  std::vector<std::string> waiting() const;

 private:
  struct Running {
    const Schedule* schedule;
    std::string name;
    std::function<void(Rank)> finished;
  };
  struct Channel {
    std::unique_ptr<RankProgram> program;
    bool program_over = false;
    std::optional<Action> awaited;  // what the program waits for
    std::queue<Action> outbox;      // the first may be under way
    bool sending = false;
  };
  struct Endpoint {
    std::queue<std::size_t> entered;  // the first is the running one
    std::vector<Channel> channels;    // none between collectives
  };

  void begin(Rank rank);
  void advance(Rank rank, std::uint32_t channel);
  void try_to_send(Rank sender, std::uint32_t channel);
  void arrived(Rank sender, std::uint32_t channel);
  void finish_if_over(Rank rank);
  void check_peer(Rank rank, const Action& action) const;

  Network& network_;
  std::deque<Running> collectives_;
  std::vector<Endpoint> endpoints_;
  std::vector<Bytes> sent_bytes_, received_bytes_;
  std::uint64_t transfers_ = 0;
};

}  // namespace traincast
