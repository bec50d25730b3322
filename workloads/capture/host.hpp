// What capture wants to know of the machine it runs on.
#pragma once

#include <cstdint>
#include <string>

namespace traincast {

/// The processor's name as the system gives it, or "unknown CPU".
std::string cpu_name();

/// Keeps OpenBLAS, where it is the BLAS in use, to the calling thread: it reads OPENBLAS_NUM_THREADS before
/// main() begins.
void keep_blas_to_one_thread();

/// Keeps memory that a pass has freed for the next one, in whichever thread: given back, its pages would be
/// faulted in anew each time, which takes a quarter of a pass and more.
void keep_heap();

/// GFLOP/s of the BLAS in use on matrices of 512 x 512; 0 where it cannot be found.
double blas_gflops();

/// Bytes that this user may still write below `path`, or below its nearest parent that is there.
std::uint64_t free_disk_bytes(const std::string& path);

}  // namespace traincast
