#pragma once
// The inner loops of the product with few rows: one warp multiplies tiles of 16 rows x 256 columns of the planes with up to
// ROWS rows of activations (kernels/prepared_rows.h).
#include "kernels/byte_tables.h"
#include "kernels/code_bytes.cuh"
#include "kernels/prepared_rows.h"

namespace dpllm {

template <int BITS>
struct Tile {
  uint4 planes[BITS];  // of one lane
};

__device__ __forceinline__ uint32_t word_of(const uint4& v, int i) { return i == 0 ? v.x : i == 1 ? v.y : i == 2 ? v.z : v.w; }

// Walks along the column tiles of one row tile.
template <int BITS>
struct TileReader {
  const uint4 *base, *upper;  // of the tile that is requested next
  size_t plane, step;         // uint4s from plane to plane; tiles from one to the next

  __device__ __forceinline__ TileReader(const BitPlanes& w, size_t row_tile, size_t col_tile, size_t step, int lane)
      : base(reinterpret_cast<const uint4*>(base_tile(w, row_tile, col_tile)) + lane),
        upper(reinterpret_cast<const uint4*>(upper_tile(w, BASE_PLANES, row_tile, col_tile)) + lane),
        plane(plane_words(w) / 4),
        step(step) {}

  __device__ __forceinline__ void request(Tile<BITS>& tile) {
#pragma unroll
    for (int p = 0; p < BASE_PLANES; p++) tile.planes[p] = load_once(base + p * (TILE_WORDS / 4));
#pragma unroll
    for (int p = BASE_PLANES; p < BITS; p++) tile.planes[p] = load_once(upper + (p - BASE_PLANES) * plane);
    base += step * (BASE_PLANES * TILE_WORDS / 4), upper += step * (TILE_WORDS / 4);
  }
};

// Words w of both rows of a lane.
template <int BITS>
__device__ __forceinline__ void words_of(const Tile<BITS>& tile, int w, uint32_t (&words)[2][BITS]) {
#pragma unroll
  for (int p = 0; p < BITS; p++) words[0][p] = word_of(tile.planes[p], w), words[1][p] = word_of(tile.planes[p], 2 + w);
}

// 3 and 4 bits: centroids as bytes, from registers.
template <int BITS_, int ROWS>
struct ByteLookup {
  static constexpr int BITS = BITS_, GROUPS = (ROWS + 3) / 4, TABLES = byte_tables_of(BITS), SUMS = 2;
  uint2 tables[2][TABLES];  // of the rows g and g + 8
  float2 scales[2];
  float sums[GROUPS][SUMS];  // of the rows g and g + 8 of W, row 4 group + t of x

  __device__ __forceinline__ void begin(const BitPlanes& w, size_t row_tile, unsigned char*) {
    const int g = threadIdx.x % 32 / 4;
    const ByteTables& from = w.byte_tables[BITS - 3];
    const uint2* bytes = reinterpret_cast<const uint2*>(from.bytes) + row_tile * TABLES * TILE_ROWS;
#pragma unroll
    for (int row = 0; row < 2; row++) {
#pragma unroll
      for (int i = 0; i < TABLES; i++) tables[row][i] = __ldg(bytes + i * TILE_ROWS + row * 8 + g);
      scales[row] = __ldg(reinterpret_cast<const float2*>(from.scales) + row_tile * TILE_ROWS + row * 8 + g);
    }
    for (auto& group : sums) group[0] = group[1] = 0.0f;
  }

  // The columns 4 q + R of a word.
  template <int R>
  __device__ __forceinline__ void multiply(const uint32_t (&words)[2][BITS], const uint4 (&x)[GROUPS],
                                           int (&d)[GROUPS][TABLES][4]) const {
    uint32_t a[TABLES][4];
#pragma unroll
    for (int row = 0; row < 2; row++) {
      const uint32_t n = cells<R>(words[row][0], words[row][1], words[row][2]);
      uint32_t selector = n & 0x77777777u;
#pragma unroll
      for (int i = 0; i < TABLES; i++) {
        if constexpr (BITS == 4) {
          if (i == 2) selector = choose(n, shifted<3 - R>(words[row][3]), 0x77777777u);
        }
        const uint2& table = tables[row][i];
        a[i][row] = prmt(table.x, table.y, selector);
        a[i][2 + row] = prmt(table.x, table.y, selector >> 16);
      }
    }
#pragma unroll
    for (int group = 0; group < GROUPS; group++) {
      const uint32_t b0 = R % 2 == 0 ? x[group].x : x[group].z, b1 = R % 2 == 0 ? x[group].y : x[group].w;
#pragma unroll
      for (int i = 0; i < TABLES; i++) multiply_int8(d[group][i], a[i], b0, b1);
    }
  }

  __device__ __forceinline__ void add(const Tile<BITS>& tile, size_t col_tile, const PreparedRows& x, const unsigned char*) {
    const int lane = threadIdx.x % 32, t = lane % 4;
    const uint4* from = x.bytes + col_tile * byte_groups(x.rows) * BYTES_UINT4 + lane;
    int d[GROUPS][TABLES][4] = {};
#pragma unroll
    for (int w = 0; w < 2; w++) {
      uint32_t words[2][BITS];
      words_of(tile, w, words);
#pragma unroll
      for (int pair = 0; pair < 2; pair++) {
        uint4 b[GROUPS];
#pragma unroll
        for (int group = 0; group < GROUPS; group++) {
          const bool inside = static_cast<size_t>(group * 4 + lane / 8) < x.rows;
          b[group] = inside ? from[group * BYTES_UINT4 + (w * 2 + pair) * 32] : make_uint4(0, 0, 0, 0);
        }
        if (pair == 0) multiply<0>(words, b, d), multiply<1>(words, b, d);
        else multiply<2>(words, b, d), multiply<3>(words, b, d);
      }
    }
#pragma unroll
    for (int group = 0; group < GROUPS; group++) {
      const size_t m = group * 4 + t;
      const float scale = m < x.rows ? x.scales[col_tile * MAX_FEW_ROWS + m] : 0.0f;
#pragma unroll
      for (int row = 0; row < 2; row++) {  // even columns of D are with the high byte of x, odd ones with the low byte
        const int *high = &d[group][0][2 * row], *low = &d[group][1][2 * row];
        const float y = static_cast<float>(high[0]) * 65536.0f + static_cast<float>(high[1] + low[0]) * 256.0f +
                        static_cast<float>(low[1]);
        float sum = scales[row].x * y;
        if constexpr (BITS == 4) {
          const int *h = &d[group][2][2 * row], *l = &d[group][3][2 * row];
          sum += scales[row].y * (static_cast<float>(128 * h[0] + l[0]) * 256.0f + static_cast<float>(128 * h[1] + l[1]));
        }
        sums[group][row] += scale * sum;
      }
    }
  }

  // Calls body(row of the tile, row of x, sum).
  template <class Body>
  __device__ __forceinline__ void for_each_sum(Body&& body) const {
    const int g = threadIdx.x % 32 / 4, t = threadIdx.x % 4;
#pragma unroll
    for (int group = 0; group < GROUPS; group++) {
      body(g, group * 4 + t, sums[group][0]);
      body(g + 8, group * 4 + t, sums[group][1]);
    }
  }
};

// Any bits: f16 centroids as they are, from shared memory [index][2][32 lanes], in both halves of a word: every lane reads its
// own bank.
constexpr size_t half_table_bytes(int bits) { return size_t{256} << bits; }

template <int BITS_, int ROWS>
struct HalfLookup {
  static constexpr int BITS = BITS_, GROUPS = (ROWS + 7) / 8, SUMS = 4;
  float sums[GROUPS][SUMS];

  __device__ __forceinline__ void begin(const BitPlanes& w, size_t row_tile, unsigned char* shared) {
    const uint16_t* luts = w.luts[BITS];
    uint32_t* table = reinterpret_cast<uint32_t*>(shared);
    for (unsigned i = threadIdx.x; i < 64u << BITS; i += blockDim.x) {
      const size_t n = row_tile * TILE_ROWS + i / 32 % 2 * 8 + i % 32 / 4;
      const uint32_t bits = n < w.rows ? luts[(n << BITS) + code_of_index(i / 64, BITS)] : 0;
      table[i] = bits << 16 | bits;
    }
    __syncthreads();
    for (auto& group : sums) group[0] = group[1] = group[2] = group[3] = 0.0f;
  }

  template <int R>
  __device__ __forceinline__ void multiply(const uint32_t (&words)[2][BITS], const uint4* from, size_t rows,
                                           const unsigned char* shared, float (&d)[GROUPS][4]) const {
    const uint32_t lane = threadIdx.x % 32, place = lane * 4;
    uint32_t even[2], odd[2];
    index_bytes<BITS, R>(words[0], even[0], odd[0]);
    index_bytes<BITS, R>(words[1], even[1], odd[1]);
    // 256 * byte j of the indices + 4 * lane
    const auto look_up = [&](uint32_t indices, int j, int row) {
      return *reinterpret_cast<const uint32_t*>(shared + row * 128 + prmt(indices, place, 0x7604u | j << 4));
    };
#pragma unroll
    for (int half = 0; half < 2; half++) {
      uint4 b[GROUPS];
#pragma unroll
      for (int group = 0; group < GROUPS; group++) {
        const bool inside = group * 8 + lane / 4 < rows;
        b[group] = inside ? from[group * HALVES_UINT4 + half * 32] : make_uint4(0, 0, 0, 0);
      }
#pragma unroll
      for (int i = 0; i < 2; i++) {
        const int j = half * 2 + i;
        const uint32_t a[4] = {look_up(even[0], j, 0), look_up(even[1], j, 1), look_up(odd[0], j, 0), look_up(odd[1], j, 1)};
#pragma unroll
        for (int group = 0; group < GROUPS; group++) {
          if (i == 0) multiply_f16(d[group], a, b[group].x, b[group].y);
          else multiply_f16(d[group], a, b[group].z, b[group].w);
        }
      }
    }
  }

  __device__ __forceinline__ void add(const Tile<BITS>& tile, size_t col_tile, const PreparedRows& x,
                                      const unsigned char* shared) {
    const int lane = threadIdx.x % 32, t = lane % 4;
    const uint4* from = x.halves + col_tile * half_groups(x.rows) * HALVES_UINT4 + lane;
    float d[GROUPS][4] = {};
#pragma unroll
    for (int w = 0; w < 2; w++) {
      uint32_t words[2][BITS];
      words_of(tile, w, words);
      multiply<0>(words, from + (w * 4 + 0) * 64, x.rows, shared, d);
      multiply<1>(words, from + (w * 4 + 1) * 64, x.rows, shared, d);
      multiply<2>(words, from + (w * 4 + 2) * 64, x.rows, shared, d);
      multiply<3>(words, from + (w * 4 + 3) * 64, x.rows, shared, d);
    }
#pragma unroll
    for (int group = 0; group < GROUPS; group++) {
#pragma unroll
      for (int i = 0; i < 4; i++) {
        const size_t m = group * 8 + 2 * t + i % 2;
        sums[group][i] += d[group][i] * (m < x.rows ? x.scales[col_tile * MAX_FEW_ROWS + m] : 0.0f);
      }
    }
  }

  template <class Body>
  __device__ __forceinline__ void for_each_sum(Body&& body) const {
    const int g = threadIdx.x % 32 / 4, t = threadIdx.x % 4;
#pragma unroll
    for (int group = 0; group < GROUPS; group++) {
#pragma unroll
      for (int i = 0; i < 4; i++) body(g + i / 2 * 8, group * 8 + 2 * t + i % 2, sums[group][i]);
    }
  }
};

// The column tiles first, first + step, ... of a row tile, by one warp; all warps of the block call it, with its shared memory.
template <class Lookup>
__device__ __forceinline__ void multiply_tiles(Lookup& lookup, const BitPlanes& w, size_t row_tile, size_t first, size_t step,
                                               const PreparedRows& x, unsigned char* shared) {
  // Tiles that are under way at once, the one that is multiplied among them: some 1.5 to 3 KiB for each warp.
  constexpr int BITS = Lookup::BITS, DEPTH = BITS == 3 ? 3 : 2;
  TileReader<BITS> reader(w, row_tile, first, step, threadIdx.x % 32);
  Tile<BITS> ring[DEPTH];
#pragma unroll
  for (int i = 0; i < DEPTH - 1; i++) {
    if (first + i * step < w.col_tiles) reader.request(ring[i]);
  }
  lookup.begin(w, row_tile, shared);
  for (size_t tile = first; tile < w.col_tiles;) {
#pragma unroll
    for (int i = 0; i < DEPTH; i++) {  // places in the ring are known when this is compiled
      if (tile + (DEPTH - 1) * step < w.col_tiles) reader.request(ring[(i + DEPTH - 1) % DEPTH]);
      lookup.add(ring[i], tile, x, shared);
      tile += step;
      if (tile >= w.col_tiles) break;
    }
  }
}

}  // namespace dpllm
