#include "base/scratch_file.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <string>
#include <utility>

#include "base/error.hpp"
#include "base/units.hpp"

namespace traincast {

std::filesystem::path temporary_folder() {
  std::error_code error;
  std::filesystem::path folder = std::filesystem::temp_directory_path(error);
  if (error) throw InputError("TMPDIR: no folder for temporary files: " + error.message());
  return folder;
}

ScratchFile::ScratchFile(std::uint64_t bytes) : size_(bytes) {
  if (bytes == 0) return;
  const std::filesystem::path folder = temporary_folder();
  const std::uintmax_t free = std::filesystem::space(folder).available;
  auto refuse = [&](int error) {
    throw InputError(folder.string() + ": a file of " + format_bytes(static_cast<double>(bytes)) +
                     " cannot be made: " + std::strerror(error) + "; " +
                     format_bytes(static_cast<double>(free)) + " are free; TMPDIR names another folder");
  };
  if (bytes > free) refuse(ENOSPC);  // trying would fill the disk for a moment
  std::string name = (folder / "traincast-XXXXXX").string();
  const int file = ::mkostemp(name.data(), O_CLOEXEC);
  if (file < 0) refuse(errno);
  ::unlink(name.c_str());
  int error = ::posix_fallocate(file, 0, static_cast<off_t>(bytes));
  void* at = MAP_FAILED;
  if (error == 0) {
    at = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (at == MAP_FAILED) error = errno;
  }
  ::close(file);
  if (error != 0) refuse(error);
  data_ = static_cast<std::byte*>(at);
}

ScratchFile::ScratchFile(ScratchFile&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

ScratchFile::~ScratchFile() {
  if (data_ != nullptr) ::munmap(data_, size_);
}

void ScratchFile::rest(std::uint64_t first, std::uint64_t size) const {
  ::madvise(data_ + first, size, MADV_DONTNEED);  // of a shared mapping: nothing is lost
}

std::uint64_t ScratchFile::page() {
  static const auto size = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  return size;
}

}  // namespace traincast
