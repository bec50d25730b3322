// Error tests check the whole message.
#pragma once

#include <gmock/gmock.h>

#include <string>

#include "base/error.hpp"

namespace traincast {

/// The message of the InputError that `f` throws; "" and a failure where it throws none.
template <class F>
std::string refusal(F f) {
  try {
    f();
  } catch (const InputError& error) {
    return error.what();
  }
  ADD_FAILURE() << "nothing was refused";
  return "";
}

}  // namespace traincast
