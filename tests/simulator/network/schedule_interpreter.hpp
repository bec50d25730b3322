// Carries out a schedule on sets of contributions, without a network or a clock.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "simulator/collectives/schedule.hpp"

namespace traincast {

struct Interpretation {
  std::string
      error;  ///< "" or what went wrong: a deadlock, unlike ranges, a message overwritten before it left
  /// held[rank][element][contributor]: how often it is in there.
  std::vector<std::vector<std::vector<std::uint32_t>>> held;
  std::vector<Bytes> sent, received;
  std::uint64_t transfers = 0;
};

/// `elements` is the length of the collective's buffer; `owner` tells what a rank holds at first.
Interpretation interpret(const Schedule& schedule, std::uint64_t elements,
                         const std::vector<std::vector<std::vector<std::uint32_t>>>& at_first);

/// What ranks hold before this collective, and what every rank must hold after it.
std::vector<std::vector<std::vector<std::uint32_t>>> held_before(const Collective& collective);
std::vector<std::vector<std::uint32_t>> held_after(const Collective& collective);
std::uint64_t buffer_elements(const Collective& collective);

}  // namespace traincast
