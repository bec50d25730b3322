#include "simulator/version.hpp"

#include <unistd.h>

#include <array>
#include <ctime>

#include "base/machine.hpp"
#include "simulator/replay/replay.hpp"

namespace traincast {

Json version_info() {
  Json json;
  json["version"] = TRAINCAST_VERSION;
  json["simgrid"] = simgrid_version();
  json["compiler"] = "g++ " __VERSION__;
  return json;
}

Json describe_environment(unsigned threads) {
  Json json;
  std::array<char, 256> host{};
  gethostname(host.data(), host.size() - 1);
  std::time_t now = std::time(nullptr);
  std::tm utc{};
  gmtime_r(&now, &utc);
  std::array<char, 32> stamp{};
  std::strftime(stamp.data(), stamp.size(), "%Y-%m-%dT%H:%M:%SZ", &utc);
  json["host"] = host.data();
  json["time"] = stamp.data();
  json["processor"] = processor_name();
  json["processors"] = processor_count();
  json["threads"] = threads;
  json["peak_memory_bytes"] = peak_memory();
  return json;
}

}  // namespace traincast
