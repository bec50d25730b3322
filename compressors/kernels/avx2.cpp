#include "compressors/kernels/kernel_bodies.hpp"

namespace traincast {

const Kernels* avx2_kernels() {
#if defined(__x86_64__) && defined(__AVX2__)
  return __builtin_cpu_supports("avx2") ? &kThese : nullptr;
#else
  static_cast<void>(kThese);
  return nullptr;
#endif
}

}  // namespace traincast
