// Carries out a schedule on sets of contributions, without a network or a clock.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "simulator/collectives/schedule.hpp"

namespace traincast {

/// How often each rank's contribution is in an element.
using Held = std::vector<std::uint32_t>;

struct Interpretation {
  std::string
      error;  ///< "" or what went wrong: a deadlock, unlike ranges, a message overwritten before it left
  /// held[rank][element]; empty where contents are not followed.
  std::vector<std::vector<Held>> held;
  std::vector<Bytes> sent, received;
  std::uint64_t transfers = 0;
};

/// `elements` is the length of the collective's buffer. Without `at_first`, only bytes are counted.
Interpretation interpret(const Schedule& schedule, std::uint64_t elements,
                         const std::vector<std::vector<Held>>& at_first);

/// What ranks hold before this collective, and what a rank must hold after it (an empty Held: anything).
std::vector<std::vector<Held>> held_before(const Collective& collective);
std::vector<Held> held_after(const Collective& collective, Rank rank);
std::uint64_t buffer_elements(const Collective& collective);

}  // namespace traincast
