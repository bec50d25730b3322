// A folder of its own for a test, gone afterwards.
#pragma once

#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <string>

namespace traincast {

class ScratchFolder {
 public:
  ScratchFolder()
      : path_(std::filesystem::temp_directory_path() /
              ("traincast-test-" + std::to_string(::getpid()) + "-" + std::to_string(count_++))) {
    std::filesystem::create_directories(path_);
  }
  ~ScratchFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  std::string operator/(const std::string& name) const { return path_ / name; }
  std::string path() const { return path_; }

 private:
  std::filesystem::path path_;
  static inline std::atomic<int> count_{0};
};

/// The message with this folder's path taken out.
inline std::string without(std::string message, const std::string& folder) {
  for (auto at = message.find(folder + "/"); at != message.npos; at = message.find(folder + "/"))
    message.erase(at, folder.size() + 1);
  return message;
}

}  // namespace traincast
