#include "analysis/published/root.hpp"

#include <cmath>

namespace traincast {

Root solve(const std::function<double(double)>& f, double target, double low, double high) {
  constexpr double kClose = 1e-5, kNarrow = 1e-4;
  constexpr int kMostSteps = 80, kHalveEvery = 3;
  struct End {
    double x, residual, weight;  // weight: the residual, halved where this end stays
  };
  auto end_at = [&](double x) {
    double residual = f(x) - target;
    return End{x, residual, residual};
  };
  auto met = [&](const End& end) { return std::fabs(end.residual) <= kClose * std::fabs(target); };
  End a = end_at(low);
  if (met(a)) return {a.x, true};
  End b = end_at(high);
  if (met(b)) return {b.x, true};
  auto nearer = [&] { return std::fabs(a.residual) <= std::fabs(b.residual) ? a.x : b.x; };
  if (std::signbit(a.residual) == std::signbit(b.residual)) return {nearer(), false};
  int kept = 0;  // −1: a stayed last time, +1: b did
  for (int step = 1; step <= kMostSteps && b.x - a.x > kNarrow * std::fabs(b.x); ++step) {
    double x = step % kHalveEvery == 0 ? 0.5 * (a.x + b.x)
                                       : (a.x * b.weight - b.x * a.weight) / (b.weight - a.weight);
    if (!(x > a.x && x < b.x)) x = 0.5 * (a.x + b.x);
    End middle = end_at(x);
    if (met(middle)) return {x, true};
    if (std::signbit(middle.residual) == std::signbit(a.residual)) {
      if (kept == 1) b.weight *= 0.5;
      a = middle;
      kept = 1;
    } else {
      if (kept == -1) a.weight *= 0.5;
      b = middle;
      kept = -1;
    }
  }
  return {nearer(), true};
}

}  // namespace traincast
