// The proof that no two transfers are ever on one link together. On a channel, a rank sends one transfer at
// a time and receives one at a time, over all collectives of a step; so a link is never shared if all
// transfers that cross it come from one channel of one sender, or all go to one channel of one receiver.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "platforms/cluster.hpp"
#include "simulator/collectives/schedule.hpp"

namespace traincast {

/// That the proof fails: "link 'nic-0_UP' may carry learner 0 → 8 and learner 1 → 9 at once".
struct NotProven {
  std::string why;
};

class SharingProof {
 public:
  explicit SharingProof(const std::vector<Link>& links) : links_(links), users_(links.size()) {}

  /// Each pair of learners once for each channel. Throws NotProven.
  void add(Rank from, Rank to, std::uint32_t channel, std::span<const LinkId> route);

 private:
  struct Pair {
    Rank from = 0, to = 0;
    std::uint32_t channel = 0;
  };
  /// Two different ones say what all have in common.
  struct Users {
    Pair first, second;
    unsigned pairs = 0;  // 2 stands for more as well
  };

  const std::vector<Link>& links_;
  std::vector<Users> users_;
};

}  // namespace traincast
