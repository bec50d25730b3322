// What rotations of vectors are made of.
#pragma once

#include "compressors/kernels/lanes.hpp"

namespace traincast {

namespace {

void flip_signs(const float* x, const std::uint32_t* draws_of, std::size_t count, float scale, float* out) {
  std::size_t i = 0;
  for (; i + kWidth <= count; i += kWidth)
    store(out + i,
          (Floats)((Words)(load<Floats>(x + i) * scale) ^ (load<Words>(draws_of + i) & 0x80000000u)));
  for (; i < count; ++i) {
    const float value = x[i] * scale;
    out[i] = draws_of[i] >> 31 ? -value : value;
  }
}

void dither(float* x, const std::uint32_t* draws_of, std::size_t count, float reach) {
  for (std::size_t i = 0; i < count; ++i) {
    const float unit = static_cast<float>(static_cast<std::int32_t>(draws_of[i] >> 8)) * 0x1p-24f;
    x[i] += (2 * unit - 1) * reach;
  }
}

void butterflies(float* x, std::size_t count, std::size_t begin_stride) {
  for (std::size_t stride = begin_stride; stride < count; stride *= 2)
    for (std::size_t block = 0; block < count; block += 2 * stride)
      for (std::size_t i = block; i < block + stride; ++i) {
        float a = x[i], b = x[i + stride];
        x[i] = a + b;
        x[i + stride] = a - b;
      }
}

/// Strides 1, 2 and 4 in one go, within eight neighbours.
void short_butterflies(float* x, std::size_t count) {
  for (std::size_t i = 0; i < count; i += 8) {
    float a[8], b[8];
    for (std::size_t j = 0; j < 8; ++j) a[j] = x[i + j];
    for (std::size_t j = 0; j < 8; ++j) b[j] = j & 1 ? a[j - 1] - a[j] : a[j] + a[j + 1];
    for (std::size_t j = 0; j < 8; ++j) a[j] = j & 2 ? b[j - 2] - b[j] : b[j] + b[j + 2];
    for (std::size_t j = 0; j < 8; ++j) x[i + j] = j & 4 ? a[j - 4] - a[j] : a[j] + a[j + 4];
  }
}

/// Two strides at once: a pass over memory for every two.
void double_butterflies(float* x, std::size_t count, std::size_t stride) {
  for (std::size_t block = 0; block < count; block += 4 * stride) {
    float *p = x + block, *q = p + stride, *r = q + stride, *s = r + stride;
    for (std::size_t i = 0; i < stride; ++i) {
      float a = p[i] + q[i], b = p[i] - q[i], c = r[i] + s[i], d = r[i] - s[i];
      p[i] = a + c;
      q[i] = b + d;
      r[i] = a - c;
      s[i] = b - d;
    }
  }
}

/// Three strides at once: each of eight runs of `stride` neighbours with the others.
void triple_butterflies_of(float* __restrict v0, float* __restrict v1, float* __restrict v2,
                           float* __restrict v3, float* __restrict v4, float* __restrict v5,
                           float* __restrict v6, float* __restrict v7, std::size_t stride) {
  for (std::size_t i = 0; i < stride; ++i) {
    float b0 = v0[i] + v1[i], b1 = v0[i] - v1[i], b2 = v2[i] + v3[i], b3 = v2[i] - v3[i];
    float b4 = v4[i] + v5[i], b5 = v4[i] - v5[i], b6 = v6[i] + v7[i], b7 = v6[i] - v7[i];
    float a0 = b0 + b2, a1 = b1 + b3, a2 = b0 - b2, a3 = b1 - b3;
    float a4 = b4 + b6, a5 = b5 + b7, a6 = b4 - b6, a7 = b5 - b7;
    v0[i] = a0 + a4;
    v1[i] = a1 + a5;
    v2[i] = a2 + a6;
    v3[i] = a3 + a7;
    v4[i] = a0 - a4;
    v5[i] = a1 - a5;
    v6[i] = a2 - a6;
    v7[i] = a3 - a7;
  }
}

void triple_butterflies(float* x, std::size_t count, std::size_t stride) {
  for (std::size_t block = 0; block < count; block += 8 * stride) {
    float* v = x + block;
    triple_butterflies_of(v, v + stride, v + 2 * stride, v + 3 * stride, v + 4 * stride, v + 5 * stride,
                          v + 6 * stride, v + 7 * stride, stride);
  }
}

void walsh_hadamard(float* x, std::size_t count) {
  constexpr std::size_t kCached = 4096;  // floats that the first cache holds
  if (count > kCached) {
    // Eighths (or fewer parts) first, each in the cache as far as it goes, then the longest strides over all.
    std::size_t parts = count >= 8 * kCached ? 8 : count >= 4 * kCached ? 4 : 2;
    for (std::size_t part = 0; part < parts; ++part)
      walsh_hadamard(x + part * (count / parts), count / parts);
    if (parts == 8) return triple_butterflies(x, count, count / 8);
    if (parts == 4) return double_butterflies(x, count, count / 4);
    return butterflies(x, count, count / 2);
  }
  if (count < 8) return butterflies(x, count, 1);
  short_butterflies(x, count);
  std::size_t stride = 8;
  for (; 8 * stride <= count; stride *= 8) triple_butterflies(x, count, stride);
  if (4 * stride <= count) {
    double_butterflies(x, count, stride);
    stride *= 4;
  }
  if (stride < count) butterflies(x, count, stride);
}

}  // namespace

}  // namespace traincast
