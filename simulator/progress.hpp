// One line on the terminal that tells how far the work is; where nobody watches, only what will take long.
#pragma once

#include <string>

namespace traincast {

class Progress {
 public:
  explicit Progress(bool quiet);  ///< shows on stderr, where that is a terminal
  ~Progress();
  void say(const std::string& text);
  /// Work that will take long: a line of its own where stderr is no terminal.
  void announce(const std::string& text);
  bool shown() const { return shown_; }

 private:
  bool quiet_, shown_;
};

}  // namespace traincast
