#include "base/scratch_file.hpp"

#include <gmock/gmock.h>

#include <cstdlib>
#include <filesystem>

#include "base/error.hpp"

namespace traincast {
namespace {

TEST(ScratchFile, KeepsWhatNeedNotStayInMemoryAndHasNoName) {
  const std::filesystem::path folder = std::filesystem::path(::testing::TempDir()) / "scratch_file_test";
  std::filesystem::create_directories(folder);
  ::setenv("TMPDIR", folder.c_str(), 1);
  const std::uint64_t page = ScratchFile::page();
  ScratchFile file(3 * page);
  EXPECT_TRUE(std::filesystem::is_empty(folder));
  EXPECT_THAT(file.bytes(), ::testing::Each(std::byte{0}));
  for (std::uint64_t i = 0; i < 3; ++i) file.bytes()[i * page + 7] = std::byte(i + 1);
  file.rest(page, page);
  ScratchFile moved(std::move(file));
  for (std::uint64_t i = 0; i < 3; ++i) EXPECT_EQ(moved.bytes()[i * page + 7], std::byte(i + 1));
}

TEST(ScratchFile, IsRefusedWithNumbersWhereTheDiskHasNoRoom) {
  const auto free = std::filesystem::space(std::filesystem::temp_directory_path()).available;
  try {
    ScratchFile file(static_cast<std::uint64_t>(free) * 4);
    FAIL();
  } catch (const InputError& error) {
    EXPECT_THAT(error.what(),
                ::testing::AllOf(::testing::HasSubstr("cannot be made"), ::testing::HasSubstr("are free"),
                                 ::testing::HasSubstr("TMPDIR")));
  }
}

}  // namespace
}  // namespace traincast
