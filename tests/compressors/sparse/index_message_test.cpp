#include "compressors/sparse/index_message.hpp"

#include <gtest/gtest.h>

#include "base/error.hpp"
#include "base/random.hpp"

namespace traincast {
namespace {

TEST(IndexMessage, HoldsFourBytesAnIndex) {
  std::vector<Index> indices = {0, 5, 1000000};
  auto message = plain_indices(indices);
  EXPECT_EQ(message.size(), 12u);
  EXPECT_EQ(read_plain_indices(message, 3, 1000001), indices);
  EXPECT_TRUE(read_plain_indices(plain_indices({}), 0, 0).empty());
}

TEST(IndexMessage, PacksPlacesLowestBitFirst) {
  // Places 4, 1, 3 in chunks of 5 need three bits each: 4 | 1 << 3 | 3 << 6 = 0xcc, and a last bit of 0.
  auto message = packed_indices(std::vector<Index>{4, 6, 13}, 5);
  EXPECT_EQ(message, (Message{std::byte{0xcc}, std::byte{0x00}}));
}

TEST(IndexMessage, PacksAndUnpacksEveryChunkSize) {
  RandomStream random({.seed = 5});
  for (std::uint64_t chunk : {1u, 2u, 3u, 5u, 8u, 25u, 50u, 256u, 400u, 1000u, 65536u, 1000000000u})
    for (std::uint64_t numel : {0u, 1u, 2u, 7u, 999u, 1000u, 1001u}) {
      std::vector<Index> indices;
      for (std::uint64_t begin = 0; begin < numel; begin += chunk)
        indices.push_back(static_cast<Index>(begin + random.below(std::min(chunk, numel - begin))));
      auto message = packed_indices(indices, chunk);
      std::uint64_t width = 0;
      while ((std::uint64_t{1} << width) < chunk) ++width;
      EXPECT_EQ(message.size(), (indices.size() * width + 7) / 8);
      EXPECT_EQ(read_packed_indices(message, chunk, numel), indices) << chunk << " " << numel;
    }
}

TEST(IndexMessage, IsRefusedWhereTruncatedOrCorrupted) {
  auto plain = plain_indices(std::vector<Index>{1, 3});
  EXPECT_THROW(read_plain_indices(plain, 3, 10), InputError);
  EXPECT_THROW(read_plain_indices(std::span(plain).first(7), 2, 10), InputError);
  EXPECT_THROW(read_plain_indices(plain, 2, 3), InputError);                                     // too large
  EXPECT_THROW(read_plain_indices(plain_indices(std::vector<Index>{3, 3}), 2, 10), InputError);  // twice
  EXPECT_THROW(read_plain_indices(plain_indices(std::vector<Index>{3, 1}), 2, 10), InputError);  // falling

  auto packed = packed_indices(std::vector<Index>{4, 6, 13}, 5);
  EXPECT_THROW(read_packed_indices(std::span(packed).first(1), 5, 15), InputError);
  EXPECT_THROW(read_packed_indices(packed, 5, 13), InputError);  // the last chunk has places 0 to 2
  auto outside = packed;
  outside[0] = std::byte{0xcd};  // place 5 of chunk 0
  EXPECT_THROW(read_packed_indices(outside, 5, 15), InputError);
  auto filled = packed;
  filled[1] = std::byte{0x80};
  EXPECT_THROW(read_packed_indices(filled, 5, 15), InputError);
}

}  // namespace
}  // namespace traincast
