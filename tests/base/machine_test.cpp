// What this machine says of itself, read off files that stand in for the kernel's.
#include <gtest/gtest.h>

#include <filesystem>

#include "base/files.hpp"
#include "base/machine.hpp"
#include "tests/support/scratch_folder.hpp"

namespace traincast {
namespace {

constexpr double kMachine = 8000 * 1024.0;  // bytes of the 8000 kB below

/// A machine with memory to spare, whose process is in these control groups.
void write_machine(const ScratchFolder& root, const std::string& groups) {
  std::filesystem::create_directories(root / "proc/self");
  write_text_file(root / "proc/meminfo", "MemTotal:       16000 kB\nMemAvailable:    8000 kB\n");
  write_text_file(root / "proc/self/cgroup", groups);
}

void write_group(const std::string& folder, const std::string& limit_name, const std::string& limit,
                 const std::string& used_name, const std::string& used, const std::string& stat) {
  std::filesystem::create_directories(folder);
  write_text_file(folder + "/" + limit_name, limit + "\n");
  write_text_file(folder + "/" + used_name, used + "\n");
  write_text_file(folder + "/memory.stat", stat);
}

TEST(AvailableMemory, IsTheMachinesWhereNoContainerLimitsIt) {
  ScratchFolder root;
  write_machine(root, "0::/user/shell\n");
  EXPECT_EQ(available_memory(root.path()), kMachine);
  write_group(root / "sys/fs/cgroup/user/shell", "memory.max", "max", "memory.current", "1000000", "");
  EXPECT_EQ(available_memory(root.path()), kMachine);
  write_group(root / "sys/fs/cgroup/user", "memory.max", "900000000", "memory.current", "1000000", "");
  EXPECT_EQ(available_memory(root.path()), kMachine) << "the limit is beyond what is there";
}

TEST(AvailableMemory, IsWhatAContainerLeaves) {
  ScratchFolder root;
  write_machine(root, "0::/box/inner\n");
  write_group(root / "sys/fs/cgroup/box", "memory.max", "5000000", "memory.current", "3000000",
              "anon 2000000\nfile 1000000\ninactive_file 600000\nactive_file 100000\n");
  EXPECT_EQ(available_memory(root.path()), 5e6 - 3e6 + 6e5 + 1e5) << "files in memory make way";
  write_group(root / "sys/fs/cgroup/box/inner", "memory.max", "4000000", "memory.current", "3000000", "");
  EXPECT_EQ(available_memory(root.path()), 1e6) << "the narrower of both";
}

TEST(AvailableMemory, IsWhatAContainerOfTheFirstVersionLeaves) {
  ScratchFolder root;
  write_machine(root, "9:memory:/docker/4f2a\n8:cpu,cpuacct:/docker/4f2a\n");
  // From inside the container its own group is the root.
  write_group(root / "sys/fs/cgroup/memory", "memory.limit_in_bytes", "5000000", "memory.usage_in_bytes",
              "3000000", "inactive_file 1\ntotal_inactive_file 600000\ntotal_active_file 100000\n");
  EXPECT_EQ(available_memory(root.path()), 5e6 - 3e6 + 6e5 + 1e5);
}

}  // namespace
}  // namespace traincast
