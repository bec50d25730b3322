#include "compressors/sparse/index_message.hpp"

#include <gtest/gtest.h>

#include "base/error.hpp"
#include "base/random.hpp"
#include "compressors/sparse/sparse_message.hpp"

namespace traincast {
namespace {

constexpr IndexCoding kCodings[] = {IndexCoding::int32, IndexCoding::int64, IndexCoding::bitmap,
                                    IndexCoding::elias};

TEST(IndexMessage, HasTheLengthOfItsCoding) {
  const std::vector<Index> indices = {0, 5, 1000};
  // Gaps of 1, 5 and 995: 1 + 5 + 16 bits, in one word behind their number.
  const std::size_t lengths[] = {12, 24, 126, 8};
  for (std::size_t c = 0; c < std::size(kCodings); ++c) {
    auto message = write_indices(indices, 1001, kCodings[c]);
    EXPECT_EQ(message.size(), lengths[c]);
    EXPECT_EQ(read_indices(message, 3, 1001, kCodings[c]), indices);
    EXPECT_TRUE(read_indices(write_indices({}, 0, kCodings[c]), 0, 0, kCodings[c]).empty());
  }
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
  for (IndexCoding coding : kCodings) {
    auto message = write_indices(std::vector<Index>{1, 3}, 10, coding);
    EXPECT_THROW(read_indices(message, 3, 10, coding), InputError);
    for (std::size_t size = 0; size < message.size(); ++size)
      EXPECT_THROW(read_indices(std::span(message).first(size), 2, 10, coding), InputError);
    message.push_back(std::byte{0});
    EXPECT_THROW(read_indices(message, 2, 10, coding), InputError) << "too long";
  }
  auto read = [](std::vector<Index> indices, std::uint64_t numel) {
    return read_indices(write_indices(indices, 10, IndexCoding::int32), 2, numel, IndexCoding::int32);
  };
  EXPECT_THROW(read({1, 3}, 3), InputError) << "too large";
  EXPECT_THROW(read({3, 3}, 10), InputError) << "twice";
  EXPECT_THROW(read({3, 1}, 10), InputError) << "falling";

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
