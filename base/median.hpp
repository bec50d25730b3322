// The middle of measured values.
#pragma once

#include <vector>

namespace traincast {

/// Of an even number the mean of the two in the middle; of none zero.
double median(std::vector<double> values);

}  // namespace traincast
