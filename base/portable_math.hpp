// Functions that libm computes differently on different machines, from IEEE operations alone: the same bits
// everywhere.
#pragma once

namespace traincast {

/// ln x for x > 0, to 2 ulp.
double portable_log(double x);

/// e^x for |x| < 700, to a few ulp.
double portable_exp(double x);

/// ln Γ(x) for x > 0, to 1e-12 relative or absolute, whichever is larger: Stirling's series from 10 on, the
/// recurrence below.
double portable_log_gamma(double x);

}  // namespace traincast
