// The ways to replay a step.
#pragma once

#include <cstdint>

namespace traincast {

enum class Engine : std::uint8_t {
  automatic,  ///< max_plus where it is proven, simgrid for as many transfers as it can afford, else flow
  simgrid,
  flow,
  max_plus,
};

}  // namespace traincast
