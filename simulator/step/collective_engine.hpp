// What a step needs of whoever carries out its collectives.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "simulator/collectives/schedule.hpp"

namespace traincast {

class CollectiveEngine {
 public:
  virtual ~CollectiveEngine() = default;

  /// All ranks enter now; each takes part as soon as it has finished what was started before. The schedule
  /// must outlive the run. `finished` is called once for each rank, when its program is over and what it
  /// sent has arrived. The name is for messages: "all_reduce of bucket 1, phase 0".
  virtual void start(const Schedule& schedule, std::string name, std::function<void(Rank)> finished) = 0;

  virtual const std::vector<Bytes>& sent_bytes() const = 0;      ///< by rank
  virtual const std::vector<Bytes>& received_bytes() const = 0;  ///< by rank
  virtual std::uint64_t transfers() const = 0;

  /// Of each rank inside a collective, for whom it waits: "learner 3 waits for a message from learner 2 in
  /// …".
  virtual std::vector<std::string> waiting() const = 0;
};

}  // namespace traincast
