#include "base/portable_math.hpp"

#include <gtest/gtest.h>

#include <cfloat>
#include <cmath>

namespace traincast {
namespace {

TEST(PortableLog, AgreesWithTheLibraryToTwoUlp) {
  for (double x : {1e-300, 1e-17, 0.1, 0.5, 0.70710678, 0.9999999, 1.0, 1.5, 2.0, 3.14159, 1e10, 1e300})
    EXPECT_NEAR(portable_log(x), std::log(x), 4.5e-16 * std::max(1.0, std::fabs(std::log(x)))) << x;
}

TEST(PortableMath, AgreesWithLibmOnExponentials) {
  for (double x : {0.0, 1e-300, -1e-9, 0.1, -0.3465, 0.3467, 1.0, -1.0, 30.5, -300.25, 699.0})
    EXPECT_NEAR(portable_exp(x) / std::exp(x), 1, 1e-15) << x;
}

TEST(PortableMath, AgreesWithLibmOnTheLogOfGamma) {
  for (double x : {1e-9, 0.1, 0.5, 1.0, 1.5, 2.0, 3.0, 9.99, 10.0, 170.5})
    EXPECT_NEAR(portable_log_gamma(x), std::lgamma(x), 1e-12 * std::max(1.0, std::fabs(std::lgamma(x)))) << x;
  EXPECT_NEAR(portable_log_gamma(5), std::log(24.0), 1e-12);
}

}  // namespace
}  // namespace traincast
