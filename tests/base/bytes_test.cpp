// Files that are whole or absent, and values as bytes.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "base/files.hpp"
#include "base/serial.hpp"
#include "tests/support/refusal.hpp"
#include "tests/support/scratch_folder.hpp"

namespace traincast {
namespace {

TEST(AtomicFile, LeavesNothingBehindUntilItIsComplete) {
  ScratchFolder scratch;
  std::string path = scratch / "file";
  {
    AtomicFile file(path);
    file.append("half", 4);
    EXPECT_FALSE(std::filesystem::exists(path));
  }
  EXPECT_TRUE(std::filesystem::is_empty(scratch.path()));
  write_text_file(path, "whole");
  EXPECT_EQ(read_text_file(path), "whole");
}

TEST(AtomicFile, NamesPathAndReason) {
  EXPECT_EQ(refusal([] { write_text_file("/nowhere/at/all", "x"); }),
            "/nowhere/at/all: cannot be written: No such file or directory");
  EXPECT_EQ(refusal([] { read_text_file("/nowhere/at/all"); }),
            "/nowhere/at/all: cannot be read: No such file or directory");
}

TEST(AtomicFile, SaysWhenTheDiskIsFull) {
  if (!std::filesystem::exists("/dev/full")) GTEST_SKIP() << "no /dev/full here";
  // A file on a full device under its temporary name: the write fails, and the message names the final path.
  ScratchFolder scratch;
  std::string path = scratch / "file";
  std::filesystem::create_symlink("/dev/full", path + ".partial");
  EXPECT_EQ(refusal([&] { write_text_file(path, "x"); }),
            path + ": cannot be written: No space left on device");
  EXPECT_FALSE(std::filesystem::exists(path));
}

// As root a rename would put a file in place of the device.
TEST(TextFile, GoesIntoWhatIsNoFileAndLeavesItThere) {
  ScratchFolder scratch;
  std::string pipe = scratch / "pipe";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  int reading = ::open(pipe.c_str(), O_RDONLY | O_NONBLOCK);
  ASSERT_GE(reading, 0);
  write_text_file(pipe, "text");
  char got[8] = {};
  EXPECT_EQ(::read(reading, got, sizeof got), 4);
  ::close(reading);
  EXPECT_STREQ(got, "text");
  EXPECT_TRUE(std::filesystem::is_fifo(pipe));
  EXPECT_EQ(refusal([&] { write_text_file(scratch / ".", "x"); }),
            (scratch / ".") + ": cannot be written: Is a directory");
}

TEST(TextFile, IsRefusedBeforehandWhereItCannotBeWritten) {
  ScratchFolder folder;
  EXPECT_THROW(refuse_unwritable(folder / "missing/file"), InputError);
  write_text_file(folder / "old", "kept");
  for (const char* name : {"old", "new"}) refuse_unwritable(folder / name);
  EXPECT_EQ(read_text_file(folder / "old"), "kept");
  EXPECT_FALSE(std::filesystem::exists(folder / "new"));
  ASSERT_EQ(::mkfifo((folder / "pipe").c_str(), 0600), 0);
  refuse_unwritable(folder / "pipe");
  EXPECT_TRUE(std::filesystem::is_fifo(folder / "pipe")) << "no file takes its place";
}

TEST(Serial, RoundTripsAndRefusesWhatEndsTooEarly) {
  Writer writer;
  writer.put<std::uint32_t>(7);
  writer.put_all(std::span<const double>(std::vector<double>{1.5, -2}));
  writer.put_text("abc");
  Reader reader(writer.bytes());
  EXPECT_EQ(reader.get<std::uint32_t>(), 7u);
  EXPECT_EQ(reader.get_all<double>(), (std::vector<double>{1.5, -2}));
  EXPECT_EQ(reader.get_text(), "abc");
  EXPECT_TRUE(reader.at_end());
  for (std::size_t size = 0; size < writer.bytes().size(); ++size) {
    Reader cut(std::string_view(writer.bytes()).substr(0, size));
    EXPECT_THROW((cut.get<std::uint32_t>(), cut.get_all<double>(), cut.get_text()), InputError) << size;
  }
}

}  // namespace
}  // namespace traincast
