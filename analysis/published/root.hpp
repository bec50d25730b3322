// One unknown from one equation.
#pragma once

#include <functional>

namespace traincast {

struct Root {
  double at = 0;
  bool reached = true;  ///< false: f lies on one side of the target; `at` is the end that comes nearer
};

/// x in [low, high] where f(x) is `target` to a relative 1e-5, or, where f jumps over it, beside the jump to
/// a relative 1e-5; by false position in Illinois's variant (Dowell, Jarratt 1971), halving where that is
/// slow.
Root solve(const std::function<double(double)>& f, double target, double low, double high);

}  // namespace traincast
