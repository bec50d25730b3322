// Room for arrays on a disk: a file in the temporary folder, mapped into memory, which has no name and is
// gone with the process, however this ends.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>

namespace traincast {

/// That of TMPDIR, else /tmp. Throws InputError where there is none.
std::filesystem::path temporary_folder();

class ScratchFile {
 public:
  /// Zeros. All of it is reserved, so that no later write finds the disk full. Throws InputError, with what
  /// is needed and what is there, where the disk has no room. The folder is that of TMPDIR, else /tmp.
  explicit ScratchFile(std::uint64_t bytes);
  ScratchFile(ScratchFile&& other) noexcept;
  ScratchFile& operator=(ScratchFile&&) = delete;
  ~ScratchFile();

  std::span<std::byte> bytes() const { return {data_, size_}; }
  /// What lies in [first, first + size) need not stay in memory; it is in the file, and comes back when it is
  /// touched. Takes whole pages only.
  void rest(std::uint64_t first, std::uint64_t size) const;
  /// Offsets and sizes that rest() takes are multiples of this.
  static std::uint64_t page();

 private:
  std::byte* data_ = nullptr;
  std::uint64_t size_ = 0;
};

}  // namespace traincast
