// Who computed a report.
#pragma once

#include "base/json.hpp"

namespace traincast {

/// {"version", "simgrid", "eigen", "compiler"}: the same on every machine with the same packages.
Json version_info();

/// Host, time, threads and memory: what may differ between equal runs.
Json describe_environment(unsigned threads);

}  // namespace traincast
