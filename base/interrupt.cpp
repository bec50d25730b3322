#include "base/interrupt.hpp"

#include <csignal>

namespace traincast {

namespace {

volatile std::sig_atomic_t signal_taken = 0;  // a handler can reach nothing else

void take(int signal) {
  signal_taken = signal;
  std::signal(signal, SIG_DFL);
}

}  // namespace

void watch_interrupts() {
  std::signal(SIGINT, take);
  std::signal(SIGTERM, take);
}

bool interrupted() { return signal_taken != 0; }

void throw_if_interrupted() {
  if (signal_taken != 0) throw Interrupted{signal_taken};
}

}  // namespace traincast
