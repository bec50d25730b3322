#include "compressors/kernels/low_rank_bodies.hpp"

namespace traincast {

const LowRankKernels* avx2_low_rank_kernels() {
#if defined(__x86_64__) && defined(__AVX2__)
  return __builtin_cpu_supports("avx2") ? &kThese : nullptr;
#else
  static_cast<void>(kThese);
  return nullptr;
#endif
}

}  // namespace traincast
