#include "compressors/kernels/kernels.hpp"

namespace traincast {

const Kernels& kernels() {
  static const Kernels& chosen = avx2_kernels() ? *avx2_kernels() : *portable_kernels();
  return chosen;
}

}  // namespace traincast
