// The loops of low_rank_kernels.hpp, included once for each instruction set; as in kernel_bodies.hpp, all has
// internal linkage and calls nothing of the standard library.

#include "compressors/kernels/low_rank_kernels.hpp"

namespace traincast {

namespace {

constexpr std::size_t kWide = 8, kPadding = LowRankKernels::kPadding;
/// Eight floats: one register or two, as the processor has them.
typedef float Eight __attribute__((vector_size(4 * kWide)));
/// The same at any place in memory.
typedef float LooseEight __attribute__((vector_size(4 * kWide), aligned(4), may_alias));

/// Keeps a value that several products need in its register; GCC 12 would read it again for each.
inline void hold([[maybe_unused]] Eight& value) {
#ifdef __AVX2__
  asm("" : "+x"(value));
#endif
}

constexpr std::size_t lesser(std::size_t a, std::size_t b) { return a < b ? a : b; }

constexpr std::size_t kTile = 1024;    // columns of M whose products are summed before they are added to P
constexpr std::size_t kRowBlock = 30;  // rows of such a tile that stay in the second cache while Q passes

// A larger matrix comes from memory, row after row as far as the rank allows, and is fetched to the second
// cache ahead of its use: so many floats in a row (P), or the same place of the rows that follow (Q). In a
// nearer cache that only costs.
constexpr std::size_t kFewRanks = 4;
constexpr std::size_t kFar = std::size_t{4} << 20, kAhead = 1024;
inline void fetch(const float* place) { __builtin_prefetch(place, 0, 2); }

/// The first place at or behind this that a whole register can be loaded from in one go.
inline float* aligned(float* scratch) {
  auto address = reinterpret_cast<std::size_t>(scratch);
  return scratch + (kPadding - address / sizeof(float) % kPadding) % kPadding;
}

/// Columns of Q that are worked on together: fours, then what is left as two, then one.
inline std::size_t group_at(std::size_t column, std::size_t rank) {
  return rank - column >= 4 ? 4 : rank - column >= 2 ? 2 : 1;
}

/// Q eight rows after eight, of each group of columns in turn, tile after tile, in the order in which it is
/// used; what is left of eight stays where it is.
void pack(const float* q, std::size_t columns, std::size_t rank, float* packed) {
  for (std::size_t begin = 0; begin < columns; begin += kTile) {
    const std::size_t whole = lesser(kTile, columns - begin) / kWide * kWide;
    float* out = packed + begin * rank;
    for (std::size_t c = 0; c < rank; c += group_at(c, rank)) {
      const std::size_t group = group_at(c, rank);
      for (std::size_t j = 0; j < whole; j += kWide)
        for (std::size_t k = 0; k < group; ++k, out += kWide)
          *reinterpret_cast<Eight*>(out) =
              *reinterpret_cast<const LooseEight*>(q + (c + k) * columns + begin + j);
    }
  }
}

/// Where a group of a tile of `whole` columns begins, seen from the tile's first.
inline std::size_t packed_at(std::size_t column, std::size_t whole) { return column * whole; }

/// Rows × Columns entries of P from one tile. A register holds eight products' sums.
template <bool Far, std::size_t Rows, std::size_t Columns>
inline void project_some(const float* matrix, std::size_t stride, std::size_t width, const float* packed,
                         const float* q, float* p, std::size_t p_stride, bool start) {
  Eight sums[Rows][Columns] = {};
  const std::size_t whole = width / kWide * kWide;
  for (std::size_t j = 0; j < whole; j += kWide) {
    Eight values[Rows];
    for (std::size_t i = 0; i < Rows; ++i) {
      values[i] = *reinterpret_cast<const LooseEight*>(matrix + i * stride + j);
      if constexpr (Far) fetch(matrix + i * stride + j + kAhead);
    }
    for (std::size_t c = 0; c < Columns; ++c) {
      Eight weights = *reinterpret_cast<const Eight*>(packed + j * Columns + c * kWide);
      hold(weights);
      for (std::size_t i = 0; i < Rows; ++i) sums[i][c] += values[i] * weights;
    }
  }
  for (std::size_t i = 0; i < Rows; ++i)
    for (std::size_t c = 0; c < Columns; ++c) {
      const Eight& s = sums[i][c];
      float sum = ((s[0] + s[4]) + (s[2] + s[6])) + ((s[1] + s[5]) + (s[3] + s[7]));
      for (std::size_t j = whole; j < width; ++j) sum += matrix[i * stride + j] * q[c * stride + j];
      float& out = p[c * p_stride + i];
      out = start ? sum : out + sum;
    }
}

constexpr std::size_t rows_beside(std::size_t columns) { return columns == 4 ? 3 : 4; }

template <bool Far, std::size_t Columns>
inline void project_rows(const float* matrix, std::size_t rows, std::size_t stride, std::size_t width,
                         const float* packed, const float* q, float* p, std::size_t p_stride, bool start) {
  constexpr std::size_t kRows = rows_beside(Columns);
  std::size_t i = 0;
  for (; i + kRows <= rows; i += kRows)
    project_some<Far, kRows, Columns>(matrix + i * stride, stride, width, packed, q, p + i, p_stride, start);
  for (; i < rows; ++i)
    project_some<Far, 1, Columns>(matrix + i * stride, stride, width, packed, q, p + i, p_stride, start);
}

template <bool Far>
void project_in(std::size_t row_block, const float* matrix, std::size_t rows, std::size_t columns,
                const float* q, std::size_t rank, float* p, const float* packed) {
  for (std::size_t first = 0; first < rows; first += row_block)
    for (std::size_t begin = 0; begin < columns || begin == 0; begin += kTile) {
      const std::size_t block = lesser(row_block, rows - first), width = lesser(kTile, columns - begin);
      const float* tile = matrix + first * columns + begin;
      const float* packed_tile = packed + begin * rank;
      for (std::size_t c = 0; c < rank; c += group_at(c, rank)) {
        const float* own = packed_tile + packed_at(c, width / kWide * kWide);
        const float* column = q + c * columns + begin;
        float* out = p + c * rows + first;
        switch (group_at(c, rank)) {
          case 4:
            project_rows<Far, 4>(tile, block, columns, width, own, column, out, rows, begin == 0);
            break;
          case 2:
            project_rows<Far, 2>(tile, block, columns, width, own, column, out, rows, begin == 0);
            break;
          default: project_rows<Far, 1>(tile, block, columns, width, own, column, out, rows, begin == 0);
        }
      }
    }
}

void project(const float* matrix, std::size_t rows, std::size_t columns, const float* q, std::size_t rank,
             float* p, float* scratch) {
  float* packed = aligned(scratch);
  pack(q, columns, rank, packed);
  if (rank <= kFewRanks && rows * columns > kFar)
    project_in<true>(rows_beside(rank), matrix, rows, columns, q, rank, p, packed);
  else
    project_in<false>(kRowBlock, matrix, rows, columns, q, rank, p, packed);
}

/// Adds four rows, each by its weight, to `Columns` sums.
template <bool Far, std::size_t Columns>
inline void add_four_rows(const float* rows, std::size_t stride, std::size_t width, const float* p,
                          std::size_t p_stride, float* sums, std::size_t sum_stride) {
  float weights[Columns][4];
  for (std::size_t c = 0; c < Columns; ++c)
    for (std::size_t i = 0; i < 4; ++i) weights[c][i] = p[c * p_stride + i];
  const std::size_t whole = width / kWide * kWide;
  for (std::size_t j = 0; j < whole; j += kWide) {
    Eight values[4];
    for (std::size_t i = 0; i < 4; ++i) {
      values[i] = *reinterpret_cast<const LooseEight*>(rows + i * stride + j);
      if constexpr (Far) fetch(rows + (4 + i) * stride + j);
      hold(values[i]);
    }
    for (std::size_t c = 0; c < Columns; ++c) {
      const float* w = weights[c];
      *reinterpret_cast<Eight*>(sums + c * sum_stride + j) +=
          ((w[0] * values[0] + w[1] * values[1]) + w[2] * values[2]) + w[3] * values[3];
    }
  }
  for (std::size_t j = whole; j < width; ++j)
    for (std::size_t c = 0; c < Columns; ++c) {
      const float* w = weights[c];
      sums[c * sum_stride + j] += ((w[0] * rows[j] + w[1] * rows[stride + j]) + w[2] * rows[2 * stride + j]) +
                                  w[3] * rows[3 * stride + j];
    }
}

constexpr std::size_t kMostRanks = 32;

/// `Sums` floats of Q are summed at a time.
template <bool Far, std::size_t Sums>
void project_back_in(std::size_t widest, const float* matrix, std::size_t rows, std::size_t columns,
                     const float* p, std::size_t rank, float* q) {
  alignas(4 * kPadding) float sums[Sums];
  for (std::size_t first = 0; first < rank; first += kMostRanks) {
    const std::size_t ranks = lesser(kMostRanks, rank - first);
    std::size_t tile = widest;
    while (tile * ranks > Sums) tile /= 2;
    for (std::size_t begin = 0; begin < columns; begin += tile) {
      const std::size_t width = lesser(tile, columns - begin);
      for (std::size_t i = 0; i < ranks * tile; ++i) sums[i] = 0;
      const float* weights = p + first * rows;
      std::size_t i = 0;
      for (; i + 4 <= rows; i += 4) {
        const float* four = matrix + i * columns + begin;
        std::size_t c = 0;
        for (; c + 2 <= ranks; c += 2)
          add_four_rows<Far, 2>(four, columns, width, weights + c * rows + i, rows, sums + c * tile, tile);
        for (; c < ranks; ++c)
          add_four_rows<Far, 1>(four, columns, width, weights + c * rows + i, rows, sums + c * tile, tile);
      }
      for (; i < rows; ++i)
        for (std::size_t c = 0; c < ranks; ++c) {
          const float* row = matrix + i * columns + begin;
          const float weight = weights[c * rows + i];
          for (std::size_t j = 0; j < width; ++j) sums[c * tile + j] += weight * row[j];
        }
      for (std::size_t c = 0; c < ranks; ++c)
        for (std::size_t j = 0; j < width; ++j) q[(first + c) * columns + begin + j] = sums[c * tile + j];
    }
  }
}

/// Near: the sums lie in the first cache. Far: in the second, for longer pieces of rows.
void project_back(const float* matrix, std::size_t rows, std::size_t columns, const float* p,
                  std::size_t rank, float* q) {
  if (rank <= kFewRanks && rows * columns > kFar)
    project_back_in<true, 4 * 4096>(4 * kTile, matrix, rows, columns, p, rank, q);
  else
    project_back_in<false, 4096>(kTile, matrix, rows, columns, p, rank, q);
}

/// Adds `Ranks` columns of Q, each by its weight in P, to `Rows` sums of rows (or starts these with them).
template <std::size_t Rows, std::size_t Ranks>
inline void expand_some(const float* p, std::size_t p_stride, const float* packed, const float* q,
                        std::size_t stride, std::size_t width, float* sums, bool start) {
  float weights[Rows][Ranks];
  for (std::size_t i = 0; i < Rows; ++i)
    for (std::size_t c = 0; c < Ranks; ++c) weights[i][c] = p[c * p_stride + i];
  const std::size_t whole = width / kWide * kWide;
  for (std::size_t j = 0; j < whole; j += kWide) {
    Eight values[Ranks];
    for (std::size_t c = 0; c < Ranks; ++c) {
      values[c] = *reinterpret_cast<const Eight*>(packed + j * Ranks + c * kWide);
      hold(values[c]);
    }
    for (std::size_t i = 0; i < Rows; ++i) {
      Eight sum = weights[i][0] * values[0];
      for (std::size_t c = 1; c < Ranks; ++c) sum += weights[i][c] * values[c];
      Eight* out = reinterpret_cast<Eight*>(sums + i * kTile + j);
      *out = start ? sum : *out + sum;
    }
  }
  for (std::size_t j = whole; j < width; ++j)
    for (std::size_t i = 0; i < Rows; ++i) {
      float sum = weights[i][0] * q[j];
      for (std::size_t c = 1; c < Ranks; ++c) sum += weights[i][c] * q[c * stride + j];
      float& out = sums[i * kTile + j];
      out = start ? sum : out + sum;
    }
}

template <std::size_t Rows>
inline void expand_rows(const float* p, std::size_t p_stride, const float* packed, const float* q,
                        std::size_t rank, std::size_t stride, std::size_t width, float* matrix) {
  alignas(4 * kPadding) float sums[Rows * kTile];
  for (std::size_t c = 0; c < rank; c += group_at(c, rank)) {
    const float *own = packed + packed_at(c, width / kWide * kWide), *column = q + c * stride;
    const float* weights = p + c * p_stride;
    switch (group_at(c, rank)) {
      case 4: expand_some<Rows, 4>(weights, p_stride, own, column, stride, width, sums, c == 0); break;
      case 2: expand_some<Rows, 2>(weights, p_stride, own, column, stride, width, sums, c == 0); break;
      default: expand_some<Rows, 1>(weights, p_stride, own, column, stride, width, sums, c == 0);
    }
  }
  for (std::size_t i = 0; i < Rows; ++i)
    for (std::size_t j = 0; j < width; ++j) matrix[i * stride + j] = sums[i * kTile + j];
}

void expand(const float* p, const float* q, std::size_t rank, std::size_t rows, std::size_t columns,
            float* matrix, float* scratch) {
  if (rank == 0) {
    for (std::size_t i = 0; i < rows * columns; ++i) matrix[i] = 0;
    return;
  }
  float* packed = aligned(scratch);
  pack(q, columns, rank, packed);
  for (std::size_t begin = 0; begin < columns; begin += kTile) {
    const std::size_t width = lesser(kTile, columns - begin);
    const float *own = packed + begin * rank, *column = q + begin;
    std::size_t i = 0;
    for (; i + 2 <= rows; i += 2)
      expand_rows<2>(p + i, rows, own, column, rank, columns, width, matrix + i * columns + begin);
    for (; i < rows; ++i)
      expand_rows<1>(p + i, rows, own, column, rank, columns, width, matrix + i * columns + begin);
  }
}

/// Dot products of one column with `Columns` others.
template <std::size_t Columns>
inline void dots(const float* a, const float* b, std::size_t stride, std::size_t count, double* out) {
  double lanes[Columns][kWide] = {};
  const std::size_t whole = count / kWide * kWide;
  for (std::size_t i = 0; i < whole; i += kWide)
    for (std::size_t c = 0; c < Columns; ++c)
      for (std::size_t lane = 0; lane < kWide; ++lane)
        lanes[c][lane] += static_cast<double>(a[i + lane]) * static_cast<double>(b[c * stride + i + lane]);
  for (std::size_t c = 0; c < Columns; ++c) {
    for (std::size_t i = whole; i < count; ++i)
      lanes[c][i - whole] += static_cast<double>(a[i]) * static_cast<double>(b[c * stride + i]);
    for (std::size_t half = kWide / 2; half > 0; half /= 2)
      for (std::size_t lane = 0; lane < half; ++lane) lanes[c][lane] += lanes[c][lane + half];
    out[c] = lanes[c][0];
  }
}

double dot(const float* a, const float* b, std::size_t count) {
  double out;
  dots<1>(a, b, 0, count, &out);
  return out;
}

template <std::size_t Columns>
inline void deflate_some(const float* column, std::size_t rows, float* others) {
  double shares[Columns];
  dots<Columns>(column, others, rows, rows, shares);
  for (std::size_t c = 0; c < Columns; ++c) {
    const float share = static_cast<float>(shares[c]);
    float* __restrict other = others + c * rows;
    for (std::size_t i = 0; i < rows; ++i) other[i] -= share * column[i];
  }
}

void deflate(float* column, std::size_t rows, std::size_t count) {
  float* others = column + rows;
  std::size_t c = 0;
  for (; c + 2 <= count; c += 2) deflate_some<2>(column, rows, others + c * rows);
  for (; c < count; ++c) deflate_some<1>(column, rows, others + c * rows);
}

constexpr LowRankKernels kThese{project, project_back, expand, dot, deflate};

}  // namespace

}  // namespace traincast
