#include "base/linked_program.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>

#include "base/error.hpp"

namespace traincast {
namespace {

std::string end_of(const std::string& program) {
  SharedMemory memory = SharedMemory::create(1);
  LinkedProgram linked({program}, memory);
  try {
    linked.ask("anything");
  } catch (const std::runtime_error& error) {
    return error.what();
  }
  return "an answer";
}

TEST(LinkedProgram, ThatEndsSaysHow) {
  EXPECT_EQ(end_of("/bin/false"), "false ended with exit code 1 before it answered");
  EXPECT_EQ(end_of("/bin/true"), "true ended with exit code 0 before it answered");
  EXPECT_EQ(end_of("/no/such/program"), "program ended with exit code 127 before it answered");
}

TEST(SharedMemory, IsSeenByWhoeverHasItsDescriptor) {
  SharedMemory memory = SharedMemory::create(3 << 20);
  EXPECT_TRUE(std::ranges::all_of(memory.bytes(), [](std::byte b) { return b == std::byte{0}; }));
  SharedMemory again = SharedMemory::attach(::dup(memory.descriptor()));
  ASSERT_EQ(again.bytes().size(), memory.bytes().size());
  memory.bytes().back() = std::byte{7};
  EXPECT_EQ(again.bytes().back(), std::byte{7});
}

TEST(SharedMemory, RefusesWhatIsNone) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  EXPECT_THROW(SharedMemory::attach(ends[0]), InputError);
  ::close(ends[0]);
  ::close(ends[1]);
  EXPECT_THROW(SharedMemory::attach(ends[0]), InputError);
}

TEST(ServeLink, NeedsSomebodyWhoAsks) {
  EXPECT_THROW(serve_link([](std::string_view, std::span<std::byte>) { return std::string(); }), InputError);
}

}  // namespace
}  // namespace traincast
