// Ending long work in order when the user asks for it: SIGINT and SIGTERM become an exception at the next
// safe place.
#pragma once

namespace traincast {

struct Interrupted {
  int signal;  ///< the exit code is 128 + this
};

/// From now on the two signals are remembered; a second one ends the process at once.
void watch_interrupts();
bool interrupted();
/// Throws Interrupted where a signal came. Cheap: call it per unit of work.
void throw_if_interrupted();

}  // namespace traincast
