// Hashes, files that are whole or absent, and values as bytes.
#include <gtest/gtest.h>

#include <filesystem>

#include "base/files.hpp"
#include "base/serial.hpp"
#include "base/sha256.hpp"
#include "tests/support/refusal.hpp"
#include "tests/support/scratch_folder.hpp"

namespace traincast {
namespace {

// FIPS 180-4's examples, and a message of a million bytes.
TEST(Sha256, GivesThePublishedDigests) {
  EXPECT_EQ(sha256_hex(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(sha256_hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(sha256_hex("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  EXPECT_EQ(sha256_hex(std::string(1000000, 'a')),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(Sha256, DoesNotDependOnHowTheBytesArrive) {
  std::string text;
  for (int i = 0; i < 1000; ++i) text += static_cast<char>(i * 7);
  for (std::size_t piece : {1u, 3u, 63u, 64u, 65u, 127u}) {
    Sha256 hash;
    for (std::size_t at = 0; at < text.size(); at += piece)
      hash.update(text.data() + at, std::min(piece, text.size() - at));
    EXPECT_EQ(hash.hex(), sha256_hex(text)) << piece;
  }
}

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
