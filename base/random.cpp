#include "base/random.hpp"

#include <cmath>

#include "base/portable_math.hpp"

namespace traincast {

std::array<std::uint32_t, 4> philox(std::array<std::uint32_t, 4> c, std::array<std::uint32_t, 2> k) {
  for (int round = 0; round < 10; ++round) {
    std::uint64_t a = std::uint64_t{0xD2511F53} * c[0], b = std::uint64_t{0xCD9E8D57} * c[2];
    c = {static_cast<std::uint32_t>(b >> 32) ^ c[1] ^ k[0], static_cast<std::uint32_t>(b),
         static_cast<std::uint32_t>(a >> 32) ^ c[3] ^ k[1], static_cast<std::uint32_t>(a)};
    k[0] += 0x9E3779B9;
    k[1] += 0xBB67AE85;
  }
  return c;
}

namespace {

std::uint64_t mix(std::uint64_t x) {  // the finaliser of SplitMix64
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EB;
  return x ^ (x >> 31);
}

}  // namespace

RandomStream::RandomStream(const StreamKey& key) {
  std::uint64_t hash = mix(key.seed + 0x9E3779B97F4A7C15);
  hash = mix(hash ^ static_cast<std::uint64_t>(key.purpose));
  key_ = {static_cast<std::uint32_t>(hash), static_cast<std::uint32_t>(hash >> 32)};
  // Step, learner and tensor select the stream; the low word counts the blocks in it.
  std::uint64_t place =
      mix(key.step + 0x9E3779B97F4A7C15) ^ ((std::uint64_t{key.learner} << 32) | key.tensor);
  counter_ = {0, static_cast<std::uint32_t>(mix(key.step)), static_cast<std::uint32_t>(place),
              static_cast<std::uint32_t>(place >> 32)};
}

std::uint32_t RandomStream::next() {
  if (used_ == 4) {
    block_ = philox(counter_, key_);
    ++counter_[0];
    used_ = 0;
  }
  return block_[used_++];
}

double RandomStream::uniform() {
  std::uint64_t high = next();
  return static_cast<double>(((high << 32) | next()) >> 11) * 0x1p-53;
}

double RandomStream::normal() {
  if (has_spare_) {
    has_spare_ = false;
    return spare_;
  }
  for (;;) {
    double x = 2 * uniform() - 1, y = 2 * uniform() - 1, s = x * x + y * y;
    if (s >= 1 || s == 0) continue;
    double scale = std::sqrt(-2 * portable_log(s) / s);
    spare_ = y * scale;
    has_spare_ = true;
    return x * scale;
  }
}

std::uint64_t RandomStream::below(std::uint64_t bound) {
  std::uint64_t limit = UINT64_MAX - UINT64_MAX % bound;
  for (;;) {
    std::uint64_t high = next(), draw = (high << 32) | next();
    if (draw < limit) return draw % bound;
  }
}

}  // namespace traincast
