// An accelerator as data: what turns work and layers into seconds. Every number is a parameter whose help or
// entry names its source or calls it an assumption.
#pragma once

#include "base/catalog.hpp"
#include "base/exchange.hpp"
#include "base/json.hpp"

namespace traincast {

/// What one pass of a layer over a mini-batch computes and moves between memory and processor.
struct LayerPass {
  double flops = 0;  ///< a multiplication and an addition are two
  double bytes = 0;
  std::uint32_t operations = 1;  ///< launched one after the other
};

struct Accelerator {
  double flops_per_s = 0, bytes_per_s = 0;  ///< that programs reach, not the data sheet's
  double launch_s = 0;                      ///< of each operation: the framework's part and the kernel's
  double synchronisation_s = 0;             ///< until the host knows a number that the device computed
  double qr_s = 0;                          ///< of a thin QR decomposition
  std::uint32_t column_operations = 0;      ///< to normalise a column and project it out of the others
  std::uint32_t level_operations = 0;       ///< of each level of a Hadamard transform
  /// Accesses to memory, of four bytes each, of an element; hadamard: at each level; gather, scatter: of an
  /// entry.
  struct Accesses {
    double elementwise = 0, reduction = 0, topk = 0, chunk_top1 = 0, threshold_scan = 0, gather = 0,
           scatter = 0, bit_pack = 0, hadamard = 0;
  } accesses;
  Json description;  ///< name, source and every number, for the report

  /// All `count` of them: operations · launch + size / rate. Nothing of nothing takes no time.
  double seconds(const Work& work) const;
  /// Roofline (Williams, Waterman, Patterson 2009): launch, and whichever of arithmetic and memory takes
  /// longer.
  double seconds(const LayerPass& pass) const;
};

using MakeAccelerator = Accelerator (*)(const Parameters&);

const Catalog<MakeAccelerator>& accelerator_catalog();

/// A description as `traincast-capture --calibrate` writes it: {format: 1, device, source, accelerator: {the
/// parameters of an entry}}. Throws InputError that names file and pointer.
Accelerator read_accelerator(const std::string& path);

}  // namespace traincast
