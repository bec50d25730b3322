// What a communication stack adds to the network's own latency and bandwidth: for each message by its size,
// and for what a rank does with a message on the way.
#pragma once

#include <cmath>
#include <cstdint>
#include <vector>

#include "simulator/collectives/schedule.hpp"

namespace traincast {

struct Transport {
  /// How messages of up to so many bytes are sent.
  struct Protocol {
    Bytes up_to = UINT64_MAX;
    double latency_s = 0;   ///< added to that of the route
    double efficiency = 1;  ///< share of a link's bandwidth that carries payload
  };
  std::vector<Protocol> protocols;  ///< by rising `up_to`, the last without bound; none: nothing is added
  double hop_s_per_byte[3] = {};    ///< by HopWork, of the bytes of the message that is worked on

  double latency_s(Bytes bytes) const { return protocols.empty() ? 0 : protocol(bytes).latency_s; }
  double efficiency(Bytes bytes) const { return protocols.empty() ? 1 : protocol(bytes).efficiency; }
  /// What a message occupies of its links, in whole bytes.
  Bytes load(Bytes bytes) const {
    if (protocols.empty() || protocol(bytes).efficiency == 1) return bytes;
    return static_cast<Bytes>(std::ceil(static_cast<double>(bytes) / protocol(bytes).efficiency));
  }
  double hop_s(HopWork work, Bytes bytes) const {
    return hop_s_per_byte[static_cast<std::size_t>(work)] * static_cast<double>(bytes);
  }

 private:
  const Protocol& protocol(Bytes bytes) const {
    std::size_t at = 0;
    while (protocols[at].up_to < bytes) ++at;
    return protocols[at];
  }
};

}  // namespace traincast
