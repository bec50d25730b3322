#include "base/sha256.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace traincast {
namespace {

TEST(Sha256, GivesThePublishedDigests) {  // FIPS 180-4 examples
  EXPECT_EQ(sha256_hex(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(sha256_hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(sha256_hex("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  EXPECT_EQ(sha256_hex(std::string(1000000, 'a')),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(Sha256, GivesTheSameForManyAtOnceAsForEach) {
  for (std::size_t count : {1, 2, 3, 8, 9, 17})
    for (std::size_t size : {0, 1, 63, 64, 65, 640, 1000}) {
      std::vector<std::string> texts(count);
      std::vector<Sha256> hashes(count);
      std::vector<Sha256*> pointers;
      std::vector<const void*> data;
      for (std::size_t i = 0; i < count; ++i) {
        for (std::size_t j = 0; j < size; ++j) texts[i] += static_cast<char>(j * j + 31 * i);
        pointers.push_back(&hashes[i]);
        data.push_back(texts[i].data());
      }
      Sha256::update_together(pointers, data, size);
      Sha256::update_together(pointers, data, size);
      for (std::size_t i = 0; i < count; ++i)
        EXPECT_EQ(hashes[i].hex(), sha256_hex(texts[i] + texts[i])) << count << " of " << size;
    }
}

}  // namespace
}  // namespace traincast
