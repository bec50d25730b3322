// The numbers of Dettmers's dynamic tree data type.
#pragma once

#include <span>

namespace traincast {

/// All 256, rising, from −0.993 to 1.
std::span<const float> dynamic_tree();

}  // namespace traincast
