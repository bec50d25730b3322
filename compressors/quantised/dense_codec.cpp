#include "compressors/quantised/dense_codec.hpp"

#include <cmath>

namespace traincast {

float checked_scale(const char* kind, float scale) {
  if (!(scale >= 0 && std::isfinite(scale))) refuse_message(kind, "has no scale where one is due");
  return scale;
}

}  // namespace traincast
