#include "base/shared_memory.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

#include "base/error.hpp"
#include "base/units.hpp"

namespace traincast {

namespace {

[[noreturn]] void fail(std::uint64_t bytes) {
  throw SimulationError("no shared memory of " + format_bytes(static_cast<double>(bytes)) + ": " +
                        std::strerror(errno));
}

}  // namespace

SharedMemory::SharedMemory(int descriptor, std::uint64_t size) : descriptor_(descriptor), size_(size) {
  void* at = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
  if (at == MAP_FAILED) {
    int error = errno;
    ::close(descriptor);
    errno = error;
    fail(size);
  }
  data_ = static_cast<std::byte*>(at);
}

SharedMemory SharedMemory::take(std::uint64_t bytes) {
  SharedMemory memory = create(bytes);
  std::ranges::fill(memory.bytes(), std::byte{0});
  return memory;
}

SharedMemory SharedMemory::create(std::uint64_t bytes) {
  int descriptor = ::memfd_create("traincast", MFD_CLOEXEC);
  if (descriptor < 0) fail(bytes);
  if (::ftruncate(descriptor, static_cast<off_t>(bytes)) != 0) {
    int error = errno;
    ::close(descriptor);
    errno = error;
    fail(bytes);
  }
  return SharedMemory(descriptor, bytes);
}

SharedMemory SharedMemory::attach(int descriptor) {
  struct stat found {};
  if (::fstat(descriptor, &found) != 0 || !S_ISREG(found.st_mode) || found.st_size == 0)
    throw InputError("descriptor " + std::to_string(descriptor) + " is no shared memory");
  return SharedMemory(descriptor, static_cast<std::uint64_t>(found.st_size));
}

SharedMemory::SharedMemory(SharedMemory&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)),
      data_(std::exchange(other.data_, nullptr)),
      size_(std::exchange(other.size_, 0)) {}

SharedMemory::~SharedMemory() {
  if (data_ != nullptr) ::munmap(data_, size_);
  if (descriptor_ >= 0) ::close(descriptor_);
}

}  // namespace traincast
