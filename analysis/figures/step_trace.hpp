// Recorded steps for trace viewers.
#pragma once

#include <span>

#include "base/json.hpp"

namespace traincast {

/// The steps of timeline.json files (null: none) in Chrome's trace event format, as Perfetto and
/// chrome://tracing open it: a process for each point, for each recorded learner a track of what it computes
/// and waits for, one of its collectives, and a counter of the bytes that it has sent.
Json to_trace(std::span<const Json> timelines);

}  // namespace traincast
