// Keys of a scenario whose reading is more than a word or a number: each returns the resolved value, and may
// look at the keys before it.
#pragma once

#include "base/json.hpp"
#include "simulator/scenario/scenario.hpp"

namespace traincast {

template <class Make>
Choice<Make> choose(const JsonReader& at, const Catalog<Make>& catalog) {
  const Entry<Make>& entry = catalog.find(at);
  return {&entry, read_parameters(at, entry.name, entry.parameters)};
}

// ---- where gradients and times come from
Json read_gradients(const JsonReader& at, Scenario& scenario);
Json read_timings(const JsonReader& at, Scenario& scenario);

// ---- the method
Json read_compressor(const JsonReader& at, Scenario& scenario);
Json read_error_feedback(const JsonReader& at, Scenario& scenario);
Json read_buckets(const JsonReader& at, Scenario& scenario);

// ---- the network
Json read_collective(const JsonReader& at, Scenario& scenario);
Json collective_schema();
Json read_stack(const JsonReader& at, Scenario& scenario);
Json read_platform(const JsonReader& at, Scenario& scenario);

// ---- training in the loop
Json read_training_in_loop(const JsonReader& at, Scenario& scenario);

}  // namespace traincast
