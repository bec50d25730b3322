// One pass over whole files, several at a time: their hashes, and a look at every piece on the way.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "workloads/trace/input_file.hpp"

namespace traincast {

/// As many as hashing takes at once.
inline constexpr std::size_t kFilesAtOnce = 8;

/// A piece of file number `file`, which begins at byte `at` (a multiple of 8).
using Look = std::function<void(std::size_t file, std::uint64_t at, std::span<const char> piece)>;

/// The SHA-256 of each file.
std::vector<std::string> pass_over_files(std::span<const InputFile> files, const Look& look = {});

}  // namespace traincast
