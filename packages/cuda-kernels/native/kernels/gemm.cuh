#pragma once
// One matrix product for all that has many rows: out[t, m] = sum over k of A[m, k] x[t, k] on tensor cores, with A made tile by
// tile in shared memory from whatever a source reads (kernels/gemm_sources.cuh).
//
// A block makes 128 outputs m of some rows t. In each of its stages it has 16 words in the direction of k: of A and of x. Two
// stages are in shared memory: while some warps still multiply one, others fill the next; what the one after needs is on its
// way from memory.
#include "device/launch.h"
#include "kernels/float_types.cuh"
#include "kernels/instructions.cuh"

namespace dpllm {

constexpr int GEMM_OUTPUTS = 128, GEMM_THREADS = 256, STAGE_WORDS = 16;

// Where word i of output r is in a stage of A: 4 words of a fragment's lanes follow each other, turned by the group of 8
// rows, so that 32 threads that write one word each for 32 rows write to all banks.
__device__ __forceinline__ int a_place(int r, int i) {
  const int group = r / 8 % 4;
  return (((r / 32 * 2 + i / 8) * 4 + group) * 2 + i / 4 % 2) * 32 + r % 8 * 4 + ((i + group) & 3);
}
// Where word i of row t is in a stage of x; words 4 j .. 4 j + 3 follow each other.
__device__ __forceinline__ int x_place(int t, int i) {
  return ((t / 8 * 2 + i / 8) * 2 + i / 4 % 2) * 32 + t % 8 * 4 + i % 4;
}

struct Gemm {
  const float* x;       // [rows, depth]
  size_t rows, outputs, depth;
  Dense bias;           // [outputs], or no data
  float* out;           // [rows, outputs]
  const float* scales;  // [rows] of x in HalfArithmetic: powers of two
};

// 16 outputs of a tile by 8 of x.
__device__ __forceinline__ void load_a(const uint32_t* stage, int tile, int step, uint32_t (&a)[4]) {
  const int lane = threadIdx.x % 32;
  const uint32_t* from = stage + (tile / 2 * 2 + step) * 256 + lane / 4 * 4;
#pragma unroll
  for (int i = 0; i < 4; i++) {
    const int group = tile % 2 * 2 + i % 2;
    a[i] = from[group * 64 + i / 2 * 32 + ((lane + group) & 3)];
  }
}
__device__ __forceinline__ void load_x(const uint32_t* stage, int tile, int step, uint32_t (&b)[2]) {
  const uint32_t* from = stage + (tile * 2 + step) * 64 + threadIdx.x % 32;
  b[0] = from[0], b[1] = from[32];
}

// f16 of both, sums in f32: word 4 j + i is the columns 8 j + i and 8 j + 4 + i of 32. x is divided by its row's scale.
template <int X_TILES_>  // 8 rows each, of a warp
struct HalfArithmetic {
  static constexpr int COLS = 32, WARPS_M = 2, A_TILES = 4, X_TILES = X_TILES_, ROWS = 4 * 8 * X_TILES, X_FLOATS = 8;
  float sums[A_TILES][X_TILES][4] = {};

  static __device__ __forceinline__ float factor(const Gemm& g, size_t t) { return 1.0f / g.scales[t]; }
  static __device__ __forceinline__ float scale(const Gemm& g, size_t t) { return g.scales[t]; }
  static __device__ __forceinline__ uint32_t pair(float first, float second) {
    const __half low = __float2half_rn(first), high = __float2half_rn(second);
    return static_cast<uint32_t>(*reinterpret_cast<const uint16_t*>(&high)) << 16 | *reinterpret_cast<const uint16_t*>(&low);
  }
  static __device__ __forceinline__ uint4 words_of(const float (&x)[X_FLOATS]) {
    return make_uint4(pair(x[0], x[4]), pair(x[1], x[5]), pair(x[2], x[6]), pair(x[3], x[7]));
  }

  // `a_count`, `x_count`: tiles of the warp that are not padding.
  __device__ __forceinline__ void add(const uint32_t* a_stage, const uint32_t* x_stage, int a_count, int x_count, bool) {
#pragma unroll
    for (int step = 0; step < 2; step++) {
      uint32_t a[A_TILES][4];
#pragma unroll
      for (int i = 0; i < A_TILES; i++) load_a(a_stage, i, step, a[i]);
#pragma unroll
      for (int j = 0; j < X_TILES; j++) {
        if (j >= x_count) break;
        uint32_t b[2];
        load_x(x_stage, j, step, b);
#pragma unroll
        for (int i = 0; i < A_TILES; i++) {
          if (i < a_count) multiply_f16(sums[i][j], a[i], b[0], b[1]);
        }
      }
    }
  }
};

// f32 of both, each as the sum of two tf32 of 11 bits, without the product of the second ones: 22 bits. Sums of a stage are
// added in f32, as those of tensor cores are not rounded to nearest.
struct SplitArithmetic {
  static constexpr int COLS = 16, WARPS_M = 4, A_TILES = 2, X_TILES = 8, ROWS = 2 * 8 * X_TILES, X_FLOATS = 4;
  float sums[A_TILES][X_TILES][4] = {};

  static __device__ __forceinline__ float factor(const Gemm&, size_t) { return 1.0f; }
  static __device__ __forceinline__ float scale(const Gemm&, size_t) { return 1.0f; }
  static __device__ __forceinline__ uint4 words_of(const float (&x)[X_FLOATS]) {
    return make_uint4(__float_as_uint(x[0]), __float_as_uint(x[1]), __float_as_uint(x[2]), __float_as_uint(x[3]));
  }
  // Rounded to nearest: the instruction ignores the last 13 bits.
  static __device__ __forceinline__ void split(uint32_t v, uint32_t& first, uint32_t& second) {
    first = (v + 0x1000u) & ~0x1fffu;
    second = __float_as_uint(__uint_as_float(v) - __uint_as_float(first)) + 0x1000u;
  }

  // `exact`: A has 11 bits.
  __device__ __forceinline__ void add(const uint32_t* a_stage, const uint32_t* x_stage, int a_count, int x_count, bool exact) {
    uint32_t a[2][A_TILES][2][4];
#pragma unroll
    for (int step = 0; step < 2; step++) {
#pragma unroll
      for (int i = 0; i < A_TILES; i++) {
        uint32_t v[4];
        load_a(a_stage, i, step, v);
#pragma unroll
        for (int e = 0; e < 4; e++) split(v[e], a[step][i][0][e], a[step][i][1][e]);
      }
    }
#pragma unroll
    for (int j = 0; j < X_TILES; j++) {
      if (j >= x_count) break;
      uint32_t b[2][2][2];
#pragma unroll
      for (int step = 0; step < 2; step++) {
        uint32_t v[2];
        load_x(x_stage, j, step, v);
#pragma unroll
        for (int e = 0; e < 2; e++) split(v[e], b[step][0][e], b[step][1][e]);
      }
#pragma unroll
      for (int i = 0; i < A_TILES; i++) {
        if (i >= a_count) break;
        float d[4] = {};
#pragma unroll
        for (int step = 0; step < 2; step++) {
          multiply_tf32(d, a[step][i][0], b[step][1][0], b[step][1][1]);
          if (!exact) multiply_tf32(d, a[step][i][1], b[step][0][0], b[step][0][1]);
          multiply_tf32(d, a[step][i][0], b[step][0][0], b[step][0][1]);
        }
#pragma unroll
        for (int e = 0; e < 4; e++) sums[i][j][e] += d[e];
      }
    }
  }
};

// Floats of x that a thread takes for a stage.
template <class Arithmetic>
struct RowLoader {
  static constexpr int COUNT = Arithmetic::ROWS * 4 / GEMM_THREADS;
  float values[COUNT][Arithmetic::X_FLOATS];

  // Rows for which read(t) is false count as zero.
  template <class Read>
  __device__ __forceinline__ void request(const Gemm& g, size_t first_row, size_t stage, Read&& read) {
#pragma unroll
    for (int u = 0; u < COUNT; u++) {
      const int unit = u * GEMM_THREADS + threadIdx.x;
      const size_t t = first_row + unit % Arithmetic::ROWS;
      const size_t k = stage * Arithmetic::COLS + unit / Arithmetic::ROWS * Arithmetic::X_FLOATS;
      const bool inside = t < g.rows && read(t);
      const float* from = g.x + t * g.depth + k;
      const float factor = inside ? Arithmetic::factor(g, t) : 0.0f;
#pragma unroll
      for (int i = 0; i < Arithmetic::X_FLOATS; i += 4) {
        if (inside && g.depth % 4 == 0 && k + i + 4 <= g.depth) {
          const float4 four = *reinterpret_cast<const float4*>(from + i);
          values[u][i] = factor * four.x, values[u][i + 1] = factor * four.y;
          values[u][i + 2] = factor * four.z, values[u][i + 3] = factor * four.w;
        } else {
#pragma unroll
          for (int e = i; e < i + 4; e++) values[u][e] = inside && k + e < g.depth ? factor * from[e] : 0.0f;
        }
      }
    }
  }

  __device__ __forceinline__ void store(uint32_t* stage) const {
#pragma unroll
    for (int u = 0; u < COUNT; u++) {
      const int unit = u * GEMM_THREADS + threadIdx.x;
      *reinterpret_cast<uint4*>(stage + x_place(unit % Arithmetic::ROWS, unit / Arithmetic::ROWS * 4)) =
          Arithmetic::words_of(values[u]);
    }
  }
};

template <class Arithmetic>
constexpr size_t gemm_stage_bytes() { return 2 * (GEMM_OUTPUTS + Arithmetic::ROWS) * STAGE_WORDS * sizeof(uint32_t); }

// grid (blocks of rows, blocks of outputs); dynamic shared memory: gemm_stage_bytes() and what the source wants.
// A source: for_each_pass(first_row, last_row, body): calls body(read) for every way in which it is read, read(t) saying by
// which rows; begin(first_output, shared): makes tables of this pass; request(stage), store(stage of A): fill A; exact().
template <class Arithmetic, class Source>
__global__ void __launch_bounds__(GEMM_THREADS, 1)
    gemm_kernel(const __grid_constant__ Gemm g, const __grid_constant__ Source of) {
  DPLLM_DYNAMIC_SHARED(uint32_t, shared);
  constexpr int A_WORDS = GEMM_OUTPUTS * STAGE_WORDS, X_WORDS = Arithmetic::ROWS * STAGE_WORDS;
  uint32_t *a_stages = shared, *x_stages = shared + 2 * A_WORDS;
  const size_t first_row = blockIdx.x * static_cast<size_t>(Arithmetic::ROWS);
  const size_t first_output = blockIdx.y * static_cast<size_t>(GEMM_OUTPUTS);
  const int warp = threadIdx.x / 32, warp_m = warp % Arithmetic::WARPS_M, warp_x = warp / Arithmetic::WARPS_M;
  const auto tiles = [](size_t end, size_t begin, int size, int most) {
    return begin >= end ? 0 : min(most, static_cast<int>((end - begin + size - 1) / size));
  };
  const int a_count = tiles(g.outputs, first_output + warp_m * Arithmetic::A_TILES * 16, 16, Arithmetic::A_TILES);
  const int x_count = tiles(g.rows, first_row + warp_x * Arithmetic::X_TILES * 8, 8, Arithmetic::X_TILES);
  const size_t stages = (g.depth + Arithmetic::COLS - 1) / Arithmetic::COLS;
  Arithmetic sums;
  typename Source::Reader source(of);
  source.for_each_pass(first_row, min(first_row + Arithmetic::ROWS, g.rows), [&](auto&& read) {
    source.begin(first_output, reinterpret_cast<unsigned char*>(x_stages + 2 * X_WORDS));
    RowLoader<Arithmetic> rows;
    source.request(0);
    rows.request(g, first_row, 0, read);
    for (size_t stage = 0; stage < stages; stage++) {
      uint32_t *a = a_stages + stage % 2 * A_WORDS, *x = x_stages + stage % 2 * X_WORDS;
      source.store(a);
      rows.store(x);
      __syncthreads();
      if (stage + 1 < stages) {
        source.request(stage + 1);
        rows.request(g, first_row, stage + 1, read);
      }
      sums.add(a + warp_m * Arithmetic::A_TILES * 16 * STAGE_WORDS, x + warp_x * Arithmetic::X_TILES * 8 * STAGE_WORDS,
               a_count, x_count, source.exact());
    }
    __syncthreads();  // everything has been read
  });

  const int lane = threadIdx.x % 32;
#pragma unroll
  for (int i = 0; i < Arithmetic::A_TILES; i++) {
#pragma unroll
    for (int j = 0; j < Arithmetic::X_TILES; j++) {
#pragma unroll
      for (int e = 0; e < 4; e++) {
        const size_t m = first_output + (warp_m * Arithmetic::A_TILES + i) * 16 + lane / 4 + e / 2 * 8;
        const size_t t = first_row + (warp_x * Arithmetic::X_TILES + j) * 8 + lane % 4 * 2 + e % 2;
        if (m >= g.outputs || t >= g.rows) continue;
        const float sum = sums.sums[i][j][e] * Arithmetic::scale(g, t);
        g.out[t * g.outputs + m] = g.bias.data == nullptr ? sum : sum + load_float(g.bias.data, g.bias.type, m);
      }
    }
  }
}

}  // namespace dpllm
