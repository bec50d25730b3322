// What a capture that was ended too early has finished: files with their hashes, noted one line each as they
// come.
#pragma once

#include <cstdint>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include "workloads/trace/trace.hpp"

namespace traincast {

class UnfinishedLog {
 public:
  /// Reads the log at `path`, where there is one, and goes on with it. Throws InputError where it is of
  /// another training. `training` is one line that says which.
  UnfinishedLog(std::string path, const std::string& training);
  /// Files that an earlier writer finished at this step.
  std::vector<TraceFile> files(std::uint64_t step) const;
  bool empty() const { return finished_.empty(); }
  /// A log that cannot be written, on a full disk, say, only knows less.
  void note(const TraceFile& file);
  /// Removes the log, and what an earlier writer left of steps, finished or not, that is not among these
  /// files.
  void remove(const std::vector<TraceFile>& kept);

 private:
  std::string path_;
  bool goes_on_ = false;  // with an earlier writer's
  std::map<std::uint64_t, std::vector<TraceFile>> finished_;
  std::ofstream out_;
};

}  // namespace traincast
