#include "compressors/kernels/kernel_bodies.hpp"

namespace traincast {

const Kernels* portable_kernels() { return &kThese; }

}  // namespace traincast
