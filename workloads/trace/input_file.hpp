// A file read at given places by many threads. No mapping: a mapped file that someone shortens kills the
// process.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace traincast {

class InputFile {
 public:
  explicit InputFile(std::string path);  ///< throws InputError with the reason
  ~InputFile();
  InputFile(InputFile&& other) noexcept;
  InputFile& operator=(InputFile&&) = delete;

  const std::string& path() const { return path_; }
  std::uint64_t size() const { return size_; }  ///< when it was opened
  /// Thread-safe. Throws InputError where the file ends too early.
  void read_at(std::uint64_t offset, void* into, std::size_t size) const;

 private:
  std::string path_;
  int descriptor_ = -1;
  std::uint64_t size_ = 0;
};

}  // namespace traincast
