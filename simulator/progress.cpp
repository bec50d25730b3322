#include "simulator/progress.hpp"

#include <unistd.h>

#include <cstdio>

namespace traincast {

Progress::Progress(bool quiet) : quiet_(quiet), shown_(!quiet && isatty(STDERR_FILENO) == 1) {}

Progress::~Progress() {
  if (shown_) std::fputs("\r\033[K", stderr);
}

void Progress::say(const std::string& text) {
  if (!shown_) return;
  std::fprintf(stderr, "\r\033[K%.*s", 99, text.c_str());
  std::fflush(stderr);
}

void Progress::announce(const std::string& text) {
  say(text);
  if (!quiet_ && !shown_) std::fprintf(stderr, "traincast: %s\n", text.c_str());
}

}  // namespace traincast
