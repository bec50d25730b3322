#include "compressors/kernels/kernels.hpp"

#include "compressors/kernels/low_rank_kernels.hpp"

namespace traincast {

const Kernels& kernels() {
  static const Kernels& chosen = avx2_kernels() ? *avx2_kernels() : *portable_kernels();
  return chosen;
}

const LowRankKernels& low_rank_kernels() {
  static const LowRankKernels& chosen =
      avx2_low_rank_kernels() ? *avx2_low_rank_kernels() : *portable_low_rank_kernels();
  return chosen;
}

}  // namespace traincast
