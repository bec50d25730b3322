#include "base/machine.hpp"

#include <malloc.h>
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
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

double available_memory() {
  std::ifstream info("/proc/meminfo");
  std::string key, unit;
  double kilobytes = 0;
  while (info >> key >> kilobytes >> unit)
    if (key == "MemAvailable:") return kilobytes * 1024;
  return std::numeric_limits<double>::infinity();
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
