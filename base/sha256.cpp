#include "base/sha256.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

#ifdef __x86_64__
#include <cpuid.h>
#include <immintrin.h>
#endif

namespace traincast {

namespace {

constexpr std::array<std::uint32_t, 64> kRound{
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

void plain_block(std::array<std::uint32_t, 8>& state, const std::uint8_t* bytes) {
  std::array<std::uint32_t, 64> w;
  for (std::size_t i = 0; i < 16; ++i)
    w[i] = std::uint32_t{bytes[4 * i]} << 24 | std::uint32_t{bytes[4 * i + 1]} << 16 |
           std::uint32_t{bytes[4 * i + 2]} << 8 | bytes[4 * i + 3];
  for (std::size_t i = 16; i < 64; ++i) {
    std::uint32_t a = w[i - 15], b = w[i - 2];
    w[i] = w[i - 16] + w[i - 7] + (std::rotr(a, 7) ^ std::rotr(a, 18) ^ (a >> 3)) +
           (std::rotr(b, 17) ^ std::rotr(b, 19) ^ (b >> 10));
  }
  auto [a, b, c, d, e, f, g, h] = state;
#pragma GCC unroll 64
  for (std::size_t i = 0; i < 64; ++i) {
    std::uint32_t first =
        h + (std::rotr(e, 6) ^ std::rotr(e, 11) ^ std::rotr(e, 25)) + ((e & f) ^ (~e & g)) + kRound[i] + w[i];
    std::uint32_t second =
        (std::rotr(a, 2) ^ std::rotr(a, 13) ^ std::rotr(a, 22)) + ((a & b) ^ (a & c) ^ (b & c));
    h = g, g = f, f = e, e = d + first, d = c, c = b, b = a, a = first + second;
  }
  state[0] += a, state[1] += b, state[2] += c, state[3] += d;
  state[4] += e, state[5] += f, state[6] += g, state[7] += h;
}

constexpr std::size_t kLanes = 8;
using Lanes __attribute__((vector_size(4 * kLanes))) = std::uint32_t;

// plain_block for kLanes messages at once, lane by lane. Always inlined, so that each caller compiles it for
// its own instructions.
__attribute__((always_inline)) inline void lane_blocks(std::array<std::uint32_t, 8>* const* states,
                                                       const std::uint8_t* const* data, std::size_t count) {
  Lanes state[8];
  for (std::size_t i = 0; i < 8; ++i)
    for (std::size_t lane = 0; lane < kLanes; ++lane) state[i][lane] = (*states[lane])[i];
  for (std::size_t block = 0; block < count; ++block) {
    alignas(Lanes) std::uint32_t words[16][kLanes];
    for (std::size_t lane = 0; lane < kLanes; ++lane) {
      std::uint32_t own[16];
      std::memcpy(own, data[lane] + 64 * block, sizeof own);
      for (std::size_t i = 0; i < 16; ++i) words[i][lane] = __builtin_bswap32(own[i]);
    }
    Lanes w[16];
    std::memcpy(w, words, sizeof w);
    Lanes a = state[0], b = state[1], c = state[2], d = state[3];
    Lanes e = state[4], f = state[5], g = state[6], h = state[7];
#define TRAINCAST_ROTATE(x, n) (((x) >> (n)) | ((x) << (32 - (n))))
#pragma GCC unroll 64
    for (unsigned i = 0; i < 64; ++i) {
      Lanes& now = w[i % 16];
      if (i >= 16) {
        Lanes early = w[(i + 1) % 16], late = w[(i + 14) % 16];
        now += w[(i + 9) % 16] + (TRAINCAST_ROTATE(early, 7) ^ TRAINCAST_ROTATE(early, 18) ^ (early >> 3)) +
               (TRAINCAST_ROTATE(late, 17) ^ TRAINCAST_ROTATE(late, 19) ^ (late >> 10));
      }
      Lanes first = h + (TRAINCAST_ROTATE(e, 6) ^ TRAINCAST_ROTATE(e, 11) ^ TRAINCAST_ROTATE(e, 25)) +
                    ((e & f) ^ (~e & g)) + kRound[i] + now;
      Lanes second = (TRAINCAST_ROTATE(a, 2) ^ TRAINCAST_ROTATE(a, 13) ^ TRAINCAST_ROTATE(a, 22)) +
                     ((a & b) ^ (a & c) ^ (b & c));
      h = g, g = f, f = e, e = d + first, d = c, c = b, b = a, a = first + second;
    }
#undef TRAINCAST_ROTATE
    state[0] += a, state[1] += b, state[2] += c, state[3] += d;
    state[4] += e, state[5] += f, state[6] += g, state[7] += h;
  }
  for (std::size_t i = 0; i < 8; ++i)
    for (std::size_t lane = 0; lane < kLanes; ++lane) (*states[lane])[i] = state[i][lane];
}

using LaneBlocks = void (*)(std::array<std::uint32_t, 8>* const*, const std::uint8_t* const*, std::size_t);

void lane_blocks_portable(std::array<std::uint32_t, 8>* const* states, const std::uint8_t* const* data,
                          std::size_t count) {
  lane_blocks(states, data, count);
}

#ifdef __x86_64__

__attribute__((target("avx2"))) void lane_blocks_avx2(std::array<std::uint32_t, 8>* const* states,
                                                      const std::uint8_t* const* data, std::size_t count) {
  lane_blocks(states, data, count);
}

__attribute__((target("avx2,avx512f,avx512vl"))) void lane_blocks_avx512(
    std::array<std::uint32_t, 8>* const* states, const std::uint8_t* const* data, std::size_t count) {
  lane_blocks(states, data, count);
}

LaneBlocks choose_lane_blocks() {
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl")) return lane_blocks_avx512;
  return __builtin_cpu_supports("avx2") ? lane_blocks_avx2 : lane_blocks_portable;
}

// The processor's own rounds: five to eight times as fast as plain_block. The instructions keep the state as
// ABEF and CDGH.
__attribute__((target("sha,sse4.1,ssse3"))) void sha_blocks(std::array<std::uint32_t, 8>& state,
                                                            const std::uint8_t* bytes, std::size_t count) {
  auto load = [](const void* from) __attribute__((target("sse2"))) {
    return _mm_loadu_si128(static_cast<const __m128i*>(from));
  };
  const __m128i big_endian = _mm_setr_epi8(3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12);
  __m128i cdab = _mm_shuffle_epi32(load(&state[0]), 0xB1), efgh = _mm_shuffle_epi32(load(&state[4]), 0x1B);
  __m128i abef = _mm_alignr_epi8(cdab, efgh, 8), cdgh = _mm_blend_epi16(efgh, cdab, 0xF0);
  for (; count > 0; --count, bytes += 64) {
    __m128i abef_before = abef, cdgh_before = cdgh, w[4];
#pragma GCC unroll 16
    for (unsigned i = 0; i < 16; ++i) {
      __m128i& now = w[i % 4];
      if (i < 4) {
        now = _mm_shuffle_epi8(load(bytes + 16 * i), big_endian);
      } else {
        __m128i last = w[(i + 3) % 4];
        __m128i seven_back = _mm_alignr_epi8(last, w[(i + 2) % 4], 4);
        now =
            _mm_sha256msg2_epu32(_mm_add_epi32(_mm_sha256msg1_epu32(now, w[(i + 1) % 4]), seven_back), last);
      }
      __m128i sum = _mm_add_epi32(now, load(&kRound[4 * i]));
      cdgh = _mm_sha256rnds2_epu32(cdgh, abef, sum);
      abef = _mm_sha256rnds2_epu32(abef, cdgh, _mm_shuffle_epi32(sum, 0x0E));
    }
    abef = _mm_add_epi32(abef, abef_before);
    cdgh = _mm_add_epi32(cdgh, cdgh_before);
  }
  __m128i feba = _mm_shuffle_epi32(abef, 0x1B), dchg = _mm_shuffle_epi32(cdgh, 0xB1);
  _mm_storeu_si128(reinterpret_cast<__m128i*>(&state[0]), _mm_blend_epi16(feba, dchg, 0xF0));
  _mm_storeu_si128(reinterpret_cast<__m128i*>(&state[4]), _mm_alignr_epi8(dchg, feba, 8));
}

bool has_sha_instructions() {
  unsigned a = 0, b = 0, c = 0, d = 0;
  if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & bit_SSE4_1) || !(c & bit_SSSE3)) return false;
  if (!__get_cpuid_count(7, 0, &a, &b, &c, &d) || !(b & bit_SHA)) return false;
  // Written on a processor without them; trusted only where both ways agree.
  std::array<std::uint8_t, 128> bytes;
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::uint8_t>(37 * i + 11);
  std::array<std::uint32_t, 8> plain{1, 2, 3, 4, 5, 6, 7, 8}, fast = plain;
  plain_block(plain, bytes.data());
  plain_block(plain, bytes.data() + 64);
  sha_blocks(fast, bytes.data(), 2);
  return fast == plain;
}

#else

LaneBlocks choose_lane_blocks() { return lane_blocks_portable; }
bool has_sha_instructions() { return false; }
void sha_blocks(std::array<std::uint32_t, 8>&, const std::uint8_t*, std::size_t) {}

#endif

bool use_sha_instructions() {
  static const bool use = has_sha_instructions();
  return use;
}

}  // namespace

void Sha256::blocks(const std::uint8_t* bytes, std::size_t count) {
  if (use_sha_instructions()) return sha_blocks(state_, bytes, count);
  for (; count > 0; --count, bytes += 64) plain_block(state_, bytes);
}

void Sha256::update(const void* data, std::size_t size) {
  auto* bytes = static_cast<const std::uint8_t*>(data);
  std::size_t held = size_ % 64;
  size_ += size;
  if (held > 0) {
    std::size_t take = std::min(size, 64 - held);
    std::memcpy(pending_.data() + held, bytes, take);
    bytes += take, size -= take;
    if (held + take < 64) return;
    blocks(pending_.data(), 1);
  }
  blocks(bytes, size / 64);
  bytes += size / 64 * 64, size %= 64;
  if (size > 0) std::memcpy(pending_.data(), bytes, size);
}

void Sha256::update_together(std::span<Sha256* const> hashes, std::span<const void* const> data,
                             std::size_t size) {
  static const LaneBlocks lane_blocks_here = choose_lane_blocks();
  for (std::size_t first = 0; first < hashes.size(); first += kLanes) {
    std::size_t count = std::min(kLanes, hashes.size() - first);
    bool lanes = count > 1 && !use_sha_instructions();
    for (std::size_t i = 0; i < count; ++i) lanes = lanes && hashes[first + i]->size_ % 64 == 0;
    std::size_t done = lanes ? size / 64 * 64 : 0;
    if (lanes) {
      // Lanes without a message repeat the first one.
      std::array<std::array<std::uint32_t, 8>, kLanes> spare;
      std::array<std::array<std::uint32_t, 8>*, kLanes> states;
      std::array<const std::uint8_t*, kLanes> bytes;
      for (std::size_t i = 0; i < kLanes; ++i) {
        spare[i] = hashes[first]->state_;
        states[i] = i < count ? &hashes[first + i]->state_ : &spare[i];
        bytes[i] = static_cast<const std::uint8_t*>(data[first + (i < count ? i : 0)]);
      }
      lane_blocks_here(states.data(), bytes.data(), size / 64);
    }
    for (std::size_t i = 0; i < count; ++i) {
      hashes[first + i]->size_ += done;
      hashes[first + i]->update(static_cast<const std::uint8_t*>(data[first + i]) + done, size - done);
    }
  }
}

std::string Sha256::hex() {
  std::uint64_t bits = size_ * 8;
  const std::uint8_t one = 0x80, zero = 0;
  update(&one, 1);
  while (size_ % 64 != 56) update(&zero, 1);
  std::array<std::uint8_t, 8> length;
  for (unsigned i = 0; i < 8; ++i) length[i] = static_cast<std::uint8_t>(bits >> (56 - 8 * i));
  update(length.data(), length.size());
  std::string text;
  for (std::uint32_t word : state_)
    for (int shift = 28; shift >= 0; shift -= 4) text += "0123456789abcdef"[(word >> shift) & 15];
  return text;
}

std::string sha256_hex(std::string_view bytes) {
  Sha256 hash;
  hash.update(bytes.data(), bytes.size());
  return hash.hex();
}

}  // namespace traincast
