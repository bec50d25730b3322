// A clock that stands still until a test lets time pass.
#pragma once

namespace traincast {

class FakeClock {
 public:
  /// What a Group takes as its clock.
  static double seconds() { return now(); }
  static void pass(double seconds) { now() += seconds; }

 private:
  static double& now() {
    static double now = 0;
    return now;
  }
};

}  // namespace traincast
