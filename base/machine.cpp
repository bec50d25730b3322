#include "base/machine.hpp"

#include <malloc.h>
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <limits>
#include <string>
#include <thread>

namespace traincast {

std::string processor_name() {
  std::ifstream info("/proc/cpuinfo");
  for (std::string line; std::getline(info, line);)
    if (line.starts_with("model name"))
      if (auto colon = line.find(": "); colon != line.npos) return line.substr(colon + 2);
  return "unknown processor";
}

unsigned processor_count() { return std::max(1u, std::thread::hardware_concurrency()); }

namespace {

struct Ticks {
  double idle = 0, all = 0;
};

Ticks read_ticks() {
  std::ifstream stat("/proc/stat");
  std::string name;
  stat >> name;  // "cpu": user, nice, system, idle, iowait, irq, softirq, steal
  Ticks ticks;
  double value = 0;
  for (int field = 0; field < 8 && stat >> value; ++field) {
    ticks.all += value;
    if (field == 3 || field == 4) ticks.idle += value;
  }
  return ticks;
}

}  // namespace

double busy_processors() {
  Ticks before = read_ticks();
  std::this_thread::sleep_for(std::chrono::milliseconds(200));
  Ticks after = read_ticks();
  if (after.all <= before.all) return 0;
  return processor_count() * (1 - (after.idle - before.idle) / (after.all - before.all));
}

namespace {

constexpr double kUnlimited = std::numeric_limits<double>::infinity();

/// The names of a version of control groups.
struct GroupFiles {
  const char* mount;
  const char* limit;
  const char* used;
  const char* cached[2];  ///< in memory.stat: files in memory, which make way
};
constexpr GroupFiles kVersion1{"/sys/fs/cgroup/memory",
                               "memory.limit_in_bytes",
                               "memory.usage_in_bytes",
                               {"total_inactive_file", "total_active_file"}};
constexpr GroupFiles kVersion2{
    "/sys/fs/cgroup", "memory.max", "memory.current", {"inactive_file", "active_file"}};

/// Unlimited where there is no such file, or no number in it ("max").
double number_in(const std::filesystem::path& file) {
  std::ifstream in(file);
  double number = 0;
  return in >> number ? number : kUnlimited;
}

double left_in_group(const std::filesystem::path& group, const GroupFiles& files) {
  const double limit = number_in(group / files.limit), used = number_in(group / files.used);
  if (limit == kUnlimited || used == kUnlimited) return kUnlimited;
  double left = limit - used;
  std::ifstream stat(group / "memory.stat");
  std::string key;
  for (double bytes = 0; stat >> key >> bytes;)
    if (key == files.cached[0] || key == files.cached[1]) left += bytes;
  return std::max(0.0, left);
}

/// Of the groups that this process is in, each within those above it. In a container the path may be the
/// host's, of which the container sees the end at its root.
double left_in_groups(const std::string& root) {
  std::ifstream groups(root + "/proc/self/cgroup");
  double left = kUnlimited;
  for (std::string line; std::getline(groups, line);) {  // "0::/path", or "9:memory:/path" of version 1
    const auto first = line.find(':'), second = line.find(':', first + 1);
    if (second == line.npos) continue;
    const std::string controller = line.substr(first + 1, second - first - 1);
    if (!controller.empty() && controller != "memory") continue;
    const GroupFiles& files = controller.empty() ? kVersion2 : kVersion1;
    std::filesystem::path group = line.substr(second + 1);
    for (;; group = group.parent_path()) {
      left = std::min(left, left_in_group(root + files.mount + group.string(), files));
      if (!group.has_relative_path()) break;
    }
  }
  return left;
}

double left_in_machine(const std::string& root) {
  std::ifstream info(root + "/proc/meminfo");
  std::string key, unit;
  double kilobytes = 0;
  while (info >> key >> kilobytes >> unit)
    if (key == "MemAvailable:") return kilobytes * 1024;
  return kUnlimited;
}

}  // namespace

double available_memory(const std::string& root) {
  return std::min(left_in_machine(root), left_in_groups(root));
}

void keep_freed_memory() {
#ifdef __GLIBC__
  mallopt(M_MMAP_THRESHOLD, 1 << 30);
  mallopt(M_TRIM_THRESHOLD, 1 << 30);
  mallopt(M_ARENA_MAX, 1);  // the arenas of further threads give memory back in any case
#endif
}

double peak_memory() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with("VmHWM:")) return std::strtod(line.c_str() + 6, nullptr) * 1024;
  // This one remembers what the process was before it became this program.
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) * 1024;
}

}  // namespace traincast
