// A data set in files, as small or as large as a test wants it.
#pragma once

#include <cstdint>
#include <string>

#include "base/files.hpp"
#include "tests/support/scratch_folder.hpp"

namespace traincast {

inline std::string cifar_record(char label, char first_pixel) {
  return std::string(1, label) + std::string(1, first_pixel) + std::string(3071, '\x40');
}

/// CIFAR-10's six files, with so many pairs of records in each of the five for training.
inline void write_cifar10(const ScratchFolder& folder, std::uint64_t pairs = 1) {
  for (int i = 1; i <= 5; ++i) {
    const std::string pair = cifar_record(static_cast<char>(i), '\x10') + cifar_record(9, '\x70');
    std::string records;
    for (std::uint64_t p = 0; p < pairs; ++p) records += pair;
    write_text_file(folder / ("data_batch_" + std::to_string(i) + ".bin"), records);
  }
  write_text_file(folder / "test_batch.bin", cifar_record(3, '\x40'));
}

}  // namespace traincast
