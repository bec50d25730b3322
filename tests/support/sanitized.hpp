// Whether the tests run under the address sanitizer, where everything takes several times as long.
#pragma once

namespace traincast {

#ifdef __SANITIZE_ADDRESS__
inline constexpr bool kSanitized = true;
#else
inline constexpr bool kSanitized = false;
#endif

}  // namespace traincast
