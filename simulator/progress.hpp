// One line on the terminal that tells how far the work is; silent where nobody watches.
#pragma once

#include <string>

namespace traincast {

class Progress {
 public:
  explicit Progress(bool quiet);  ///< shows on stderr, where that is a terminal
  ~Progress();
  void say(const std::string& text);
  bool shown() const { return shown_; }

 private:
  bool shown_;
};

}  // namespace traincast
