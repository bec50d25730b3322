// The loops of kernels.hpp, included once for each instruction set. Everything here has internal linkage and
// no function of the standard library is called, for the linker keeps one copy of an inline function, and it
// might be the one that not every processor can run.

#include "compressors/kernels/code_bodies.hpp"
#include "compressors/kernels/kernels.hpp"
#include "compressors/kernels/reduction_bodies.hpp"
#include "compressors/kernels/rotation_bodies.hpp"

namespace traincast {

namespace {

constexpr Kernels kThese{draws,
                         largest_magnitude,
                         sum_of_magnitudes,
                         sum_of_squares,
                         moments,
                         range,
                         negatives,
                         negatives_by_row,
                         signs,
                         signs_of_row,
                         collect,
                         count_from,
                         largest_by_chunk,
                         levels,
                         ternary,
                         grid,
                         affine,
                         pack_rows,
                         ternary_values,
                         pack,
                         unpack,
                         values,
                         flip_signs,
                         dither,
                         walsh_hadamard};

}  // namespace

}  // namespace traincast
