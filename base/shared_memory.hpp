// Memory that two processes see at once. It has no name: it is gone with the last process that maps it,
// however these end.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace traincast {

class SharedMemory {
 public:
  /// Zeros; pages take room once they are written. Throws SimulationError.
  static SharedMemory create(std::uint64_t bytes);
  /// The same, and every page is written: nobody else counts on that room.
  static SharedMemory take(std::uint64_t bytes);
  /// What another process created and handed over as this descriptor. Throws InputError where it is no
  /// memory.
  static SharedMemory attach(int descriptor);

  SharedMemory(SharedMemory&& other) noexcept;
  SharedMemory& operator=(SharedMemory&&) = delete;
  ~SharedMemory();

  std::span<std::byte> bytes() const { return {data_, size_}; }
  int descriptor() const { return descriptor_; }

 private:
  SharedMemory(int descriptor, std::uint64_t size);
  int descriptor_ = -1;
  std::byte* data_ = nullptr;
  std::uint64_t size_ = 0;
};

}  // namespace traincast
