// Files that are either whole or not there: written aside, flushed, then renamed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace traincast {

/// The whole file; throws InputError that names path and reason.
std::string read_text_file(const std::string& path);

/// Writes beside the final name and renames, so that no reader ever sees half of it; into devices and pipes
/// as they are. Throws InputError with the reason (a full disk, no such folder); nothing is left behind then.
void write_text_file(const std::string& path, std::string_view text);

/// Throws InputError where write_text_file would for want of a folder or the right: before work that takes
/// long.
void refuse_unwritable(const std::string& path);

/// A file written piece by piece under a temporary name; commit() flushes and renames, destruction without it
/// removes.
class AtomicFile {
 public:
  explicit AtomicFile(std::string path);
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  /// Thread-safe for disjoint ranges. Throws InputError with the reason.
  void write_at(std::uint64_t offset, const void* data, std::size_t size);
  void append(const void* data, std::size_t size);
  /// Without flushing, a machine that loses power may keep the name and lose the content: for large files
  /// whose hash is checked on reading.
  enum class Flush { yes, no };
  void commit(Flush flush = Flush::yes);

 private:
  [[noreturn]] void fail(const char* what) const;
  std::string path_, temporary_;
  int descriptor_ = -1;
  std::uint64_t end_ = 0;
};

}  // namespace traincast
