#include "compressors/kernels/low_rank_bodies.hpp"

namespace traincast {

const LowRankKernels* portable_low_rank_kernels() { return &kThese; }

}  // namespace traincast
