// What the links of a tier carried.
#pragma once

#include <string>

#include "base/exchange.hpp"

namespace traincast {

struct TierLoad {
  std::string tier;
  Bytes bytes = 0;          ///< summed over its links
  Bytes busiest_bytes = 0;  ///< of the link that would need the longest for its bytes alone
  double busiest_s = 0;     ///< and how long
  bool operator==(const TierLoad&) const = default;
};

}  // namespace traincast
