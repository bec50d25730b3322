#include "base/files.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "base/error.hpp"

namespace traincast {

namespace {

[[noreturn]] void refuse(const std::string& path, const char* what) {
  throw InputError(path + ": " + what + ": " + std::strerror(errno));
}

// A device, a pipe, a folder: there is something, and a file must not take its place.
bool is_no_file(const std::string& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 && !S_ISREG(status.st_mode);
}

void write_into(const std::string& path, std::string_view text) {
  int descriptor = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
  if (descriptor < 0) refuse(path, "cannot be written");
  while (!text.empty()) {
    ssize_t put = ::write(descriptor, text.data(), text.size());
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) break;
    text.remove_prefix(static_cast<std::size_t>(put));
  }
  int error = errno;
  ::close(descriptor);
  errno = error;
  if (!text.empty()) refuse(path, "cannot be written");
}

}  // namespace

std::string read_text_file(const std::string& path) {
  int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) refuse(path, "cannot be read");
  std::string text;
  char buffer[1 << 16];
  ssize_t got = 0;
  while ((got = ::read(descriptor, buffer, sizeof buffer)) > 0)
    text.append(buffer, static_cast<std::size_t>(got));
  int error = errno;
  ::close(descriptor);
  errno = error;
  if (got < 0) refuse(path, "cannot be read");
  return text;
}

void write_text_file(const std::string& path, std::string_view text) {
  if (is_no_file(path)) return write_into(path, text);
  AtomicFile file(path);
  file.append(text.data(), text.size());
  file.commit();
}

void refuse_unwritable(const std::string& path) {
  if (!is_no_file(path)) AtomicFile removed_at_once(path);
}

AtomicFile::AtomicFile(std::string path) : path_(std::move(path)), temporary_(path_ + ".partial") {
  descriptor_ = ::open(temporary_.c_str(), O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0644);
  if (descriptor_ < 0) fail("cannot be written");
}

AtomicFile::~AtomicFile() {
  if (descriptor_ < 0) return;
  ::close(descriptor_);
  ::unlink(temporary_.c_str());
}

void AtomicFile::fail(const char* what) const { refuse(path_, what); }

void AtomicFile::write_at(std::uint64_t offset, const void* data, std::size_t size) {
  const char* from = static_cast<const char*>(data);
  while (size > 0) {
    ssize_t put = ::pwrite(descriptor_, from, size, static_cast<off_t>(offset));
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) fail("cannot be written");
    from += put;
    offset += static_cast<std::uint64_t>(put);
    size -= static_cast<std::size_t>(put);
  }
}

void AtomicFile::append(const void* data, std::size_t size) {
  write_at(end_, data, size);
  end_ += size;
}

void AtomicFile::commit(Flush flush) {
  if (flush == Flush::yes && ::fsync(descriptor_) != 0 && errno != EINVAL && errno != EROFS)
    fail("cannot be flushed to disk");
  if (::close(std::exchange(descriptor_, -1)) != 0 || ::rename(temporary_.c_str(), path_.c_str()) != 0) {
    int error = errno;
    ::unlink(temporary_.c_str());
    errno = error;
    fail("cannot be completed");
  }
}

}  // namespace traincast
