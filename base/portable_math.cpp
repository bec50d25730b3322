#include "base/portable_math.hpp"

#include <cmath>

namespace traincast {

double portable_log(double x) {
  int exponent = 0;
  double m = std::frexp(x, &exponent);  // exact
  if (m < 0.70710678118654752) {
    m *= 2;
    --exponent;
  }
  // ln m = 2 artanh t, t = (m − 1)/(m + 1), |t| ≤ 0.1716; the series to t^23 is exact to 1e-19.
  double t = (m - 1) / (m + 1), square = t * t, sum = 0;
  for (int k = 23; k >= 1; k -= 2) sum = sum * square + 1.0 / k;
  return 2 * t * sum + exponent * 0.69314718055994530942;
}

double portable_exp(double x) {
  // x = n ln 2 + r, |r| ≤ 0.347; ln 2 in two parts keeps r exact. The series to r^14 is exact to 1e-18.
  double n = std::nearbyint(x * 1.44269504088896340736);
  double r = (x - n * 0x1.62e42fefa3800p-1) - n * 0x1.ef35793c76730p-45;
  double sum = 1;
  for (int k = 14; k >= 1; --k) sum = 1 + sum * r / k;
  return std::ldexp(sum, static_cast<int>(n));
}

double portable_log_gamma(double x) {
  double product = 1;
  for (; x < 10; ++x) product *= x;
  double inverse = 1 / x, square = inverse * inverse;
  double series =
      inverse *
      (1.0 / 12 - square * (1.0 / 360 - square * (1.0 / 1260 - square * (1.0 / 1680 - square / 1188))));
  return (x - 0.5) * portable_log(x) - x + 0.91893853320467274178 + series - portable_log(product);
}

}  // namespace traincast
