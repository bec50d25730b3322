// Carries out schedules among ranks on a network: transfers start when sender and receiver have both come to
// them. Each rank goes through the collectives that it entered one behind the other.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <queue>
#include <string>
#include <vector>

#include "simulator/step/collective_engine.hpp"
#include "simulator/step/network.hpp"
#include "simulator/collectives/transport.hpp"

namespace traincast {

class Communicator : public CollectiveEngine {
 public:
  /// Both must outlive this.
  Communicator(Network& network, std::uint32_t ranks, const Transport& transport);

  void start(const Schedule& schedule, std::string name, std::function<void(Rank)> finished) override;

  /// The same in two steps, for ranks that enter at different moments.
  std::size_t add(const Schedule& schedule, std::string name, std::function<void(Rank)> finished);
  /// The rank takes part as soon as it has finished what it entered before. All ranks must enter collectives
  /// in the same order.
  void enter(Rank rank, std::size_t collective);

  const std::vector<Bytes>& sent_bytes() const override { return sent_bytes_; }
  const std::vector<Bytes>& received_bytes() const override { return received_bytes_; }
  std::uint64_t transfers() const override { return transfers_; }
  std::vector<std::string> waiting() const override;

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

  Network& network_;
  const Transport& transport_;
  std::deque<Running> collectives_;
  std::vector<Endpoint> endpoints_;
  std::vector<Bytes> sent_bytes_, received_bytes_;
  std::uint64_t transfers_ = 0;
};

}  // namespace traincast
