#pragma once
// What the matrix product of kernels/gemm.cuh reads as A.
#include "kernels/bit_planes.cuh"
#include "kernels/code_bytes.cuh"
#include "kernels/gemm.cuh"

namespace dpllm {

// Passes over a bit-plane weight: one, or where rows read bits of their own one for each bit count among them.
struct PlanesSource {
  BitPlanes w;
  Reading reading;
};

struct PlanesReader {
  const BitPlanes& w;
  const Reading& reading;
  Mix mix = {};

  __device__ __forceinline__ explicit PlanesReader(const PlanesSource& of) : w(of.w), reading(of.reading) {}

  __device__ __forceinline__ bool exact() const { return mix.low_factor == 0.0f && mix.high_factor == 1.0f; }

  template <class Body>
  __device__ __forceinline__ void for_each_pass(size_t first_row, size_t end_row, Body&& body) {
    const bool by_row = reading.kind == Reading::Kind::by_row;
    unsigned present = 0;
    for (size_t t = first_row + threadIdx.x % 32; by_row && t < end_row; t += 32) present |= 1u << reading.bits[t];
    for (int mask = 16; mask != 0; mask /= 2) present |= __shfl_xor_sync(0xffffffffu, present, mask);
    for (int bits = 1; bits <= MAX_BITS; bits++) {
      if (by_row ? (present >> bits & 1) == 0 : bits != 1) continue;
      mix = by_row ? Mix{bits, bits, 0.0f, 1.0f} : mix_of(reading, w, 0);
      body([&](size_t t) { return !by_row || reading.bits[t] == bits; });
    }
  }
};

// A[m, k] = W[m, k], as f16. A thread has half a word of row threadIdx.x % 128 in each stage.
struct HalfPlaneRows : PlanesSource {
  struct Reader : PlanesReader {
    size_t n;
    const unsigned char* table;  // f16 [index][64][2] of the rows i and i + 64: 32 rows that follow each other have a bank each
    uint32_t words[MAX_BITS];

    __device__ __forceinline__ explicit Reader(const HalfPlaneRows& of) : PlanesReader(of) {}

    __device__ __forceinline__ void begin(size_t first_output, unsigned char* shared) {
      n = first_output + threadIdx.x % GEMM_OUTPUTS;
      const int bits = mix.high;
      uint16_t* to = reinterpret_cast<uint16_t*>(shared);
      for (unsigned i = threadIdx.x; i < static_cast<unsigned>(GEMM_OUTPUTS) << bits; i += GEMM_THREADS) {
        const unsigned r = i % GEMM_OUTPUTS, index = i / GEMM_OUTPUTS;
        const size_t row = first_output + r;
        to[index * GEMM_OUTPUTS + r % 64 * 2 + r / 64] =
            row < w.rows ? w.luts[bits][(row << bits) + code_of_index(index, bits)] : 0;
      }
      table = shared + threadIdx.x % 64 * 4 + threadIdx.x % GEMM_OUTPUTS / 64 * 2;
      __syncthreads();
    }

    __device__ __forceinline__ void request(size_t stage) {
      const bool inside = n < w.rows;
      const size_t row_tile = inside ? n / TILE_ROWS : 0, place = place_in_tile(n, stage);
      const uint32_t* base = base_tile(w, row_tile, stage / 8) + place;
#pragma unroll
      for (int p = 0; p < BASE_PLANES; p++) words[p] = __ldg(base + p * TILE_WORDS);
#pragma unroll
      for (int p = BASE_PLANES; p < MAX_BITS; p++) {
        if (p < mix.high) words[p] = __ldg(upper_tile(w, p, row_tile, stage / 8) + place);
      }
    }

    template <int BITS, int R>
    __device__ __forceinline__ void store_columns(uint32_t* stage) const {
      uint32_t p[BITS], even, odd;
#pragma unroll
      for (int i = 0; i < BITS; i++) p[i] = words[i];
      index_bytes<BITS, R>(p, even, odd);
#pragma unroll
      for (int j = 0; j < 4; j++) {
        const uint32_t low = *reinterpret_cast<const uint16_t*>(table + (even >> 8 * j & 255) * 256);
        const uint32_t high = *reinterpret_cast<const uint16_t*>(table + (odd >> 8 * j & 255) * 256);
        stage[a_place(threadIdx.x % GEMM_OUTPUTS, 4 * j + R)] = high << 16 | low;
      }
    }
    template <int BITS>
    __device__ __forceinline__ void store_word(uint32_t* stage) const {
      if (threadIdx.x < GEMM_OUTPUTS) store_columns<BITS, 0>(stage), store_columns<BITS, 1>(stage);
      else store_columns<BITS, 2>(stage), store_columns<BITS, 3>(stage);
    }
    __device__ __forceinline__ void store(uint32_t* stage) const {
      switch (mix.high) {
        case 3: return store_word<3>(stage);
        case 4: return store_word<4>(stage);
        case 5: return store_word<5>(stage);
        case 6: return store_word<6>(stage);
        case 7: return store_word<7>(stage);
        default: return store_word<8>(stage);
      }
    }
  };
};
constexpr size_t half_rows_table_bytes(int bits) { return (GEMM_OUTPUTS * sizeof(uint16_t)) << bits; }

// A[m, k] = W[m, k], as f32, of any mix. A thread has 8 of the 16 columns of row threadIdx.x % 128 in each stage.
struct PlaneRows : PlanesSource {
  struct Reader : PlanesReader {
    size_t n, at;                // row; the stage that was requested
    const float* table;          // f32 [code][128]
    uint32_t words[MAX_BITS];

    __device__ __forceinline__ explicit Reader(const PlaneRows& of) : PlanesReader(of) {}

    __device__ __forceinline__ void begin(size_t first_output, unsigned char* shared) {
      n = first_output + threadIdx.x % GEMM_OUTPUTS;
      float* to = reinterpret_cast<float*>(shared);
      for (unsigned i = threadIdx.x; i < static_cast<unsigned>(GEMM_OUTPUTS) << mix.high; i += GEMM_THREADS) {
        const size_t row = first_output + i % GEMM_OUTPUTS;
        to[i] = row < w.rows ? centroid(w, mix, row, i / GEMM_OUTPUTS) : 0.0f;
      }
      table = to + threadIdx.x % GEMM_OUTPUTS;
      __syncthreads();
    }

    __device__ __forceinline__ void request(size_t stage) {
      at = stage;
#pragma unroll
      for (int p = 0; p < MAX_BITS; p++) {
        if (p < mix.high) words[p] = n < w.rows ? plane_word(w, p, n, stage / 2) : 0;
      }
    }

    __device__ __forceinline__ void store(uint32_t* stage) const {
      const int first = threadIdx.x / GEMM_OUTPUTS * 8, shift = static_cast<int>(at % 2) * 16;
#pragma unroll
      for (int i = 0; i < 8; i++) {
        unsigned code = 0;
#pragma unroll
        for (int p = 0; p < MAX_BITS; p++) {
          if (p < mix.high) code = code << 1 | (words[p] >> (shift + first + i) & 1);
        }
        stage[a_place(threadIdx.x % GEMM_OUTPUTS, first + i)] = __float_as_uint(table[code * GEMM_OUTPUTS]);
      }
    }
  };
};
constexpr size_t plane_rows_table_bytes(int bits) { return (GEMM_OUTPUTS * sizeof(float)) << bits; }

// A[m, k] = W[k, m], as f32, of any mix. A stage is 16 rows of W; a thread has 8 columns 4 q + r of a word of one of them.
struct PlaneColumns : PlanesSource {
  struct Reader : PlanesReader {
    size_t first_word, n;
    int r, local;                // the first of the 8 columns in the word; the word among the block's 4
    uint32_t words[MAX_BITS];

    __device__ __forceinline__ explicit Reader(const PlaneColumns& of) : PlanesReader(of) {}

    __device__ __forceinline__ void begin(size_t first_output, unsigned char*) {
      first_word = first_output / 32;
      local = threadIdx.x / 16 % 4, r = threadIdx.x / 64;
    }

    __device__ __forceinline__ void request(size_t stage) {
      n = stage * STAGE_WORDS + threadIdx.x % 16;
      const bool inside = n < w.rows && first_word + local < w.words;
#pragma unroll
      for (int p = 0; p < MAX_BITS; p++) {
        if (p < mix.high) words[p] = inside ? plane_word(w, p, n, first_word + local) : 0;
      }
    }

    __device__ __forceinline__ void store(uint32_t* stage) const {
#pragma unroll
      for (int q = 0; q < 8; q++) {
        unsigned code = 0;
#pragma unroll
        for (int p = 0; p < MAX_BITS; p++) {
          if (p < mix.high) code = code << 1 | (words[p] >> (4 * q + r) & 1);
        }
        const float value = n < w.rows ? centroid(w, mix, n, code) : 0.0f;
        stage[a_place(local * 32 + 4 * q + r, threadIdx.x % 16)] = __float_as_uint(value);
      }
    }
  };
};

// A[m, k] = W[m, k] of floats, or W[k, m]: 8 of a stage's 128 x 16 for each thread.
template <class T, bool TRANSPOSED>
struct DenseSource {
  const T* w;
  size_t outputs, depth;

  struct Reader {
    const DenseSource& of;
    size_t first_output;
    float values[8];

    __device__ __forceinline__ explicit Reader(const DenseSource& of) : of(of) {}
    __device__ __forceinline__ bool exact() const { return sizeof(T) == 2; }
    template <class Body>
    __device__ __forceinline__ void for_each_pass(size_t, size_t, Body&& body) { body([](size_t) { return true; }); }
    __device__ __forceinline__ void begin(size_t first, unsigned char*) { first_output = first; }

    // Threads that follow each other read what follows each other.
    __device__ __forceinline__ int output(int i) const {
      return TRANSPOSED ? threadIdx.x % GEMM_OUTPUTS : i * 16 + static_cast<int>(threadIdx.x) / 16;
    }
    __device__ __forceinline__ int word(int i) const {
      return TRANSPOSED ? i * 2 + static_cast<int>(threadIdx.x) / GEMM_OUTPUTS : static_cast<int>(threadIdx.x) % 16;
    }
    __device__ __forceinline__ void request(size_t stage) {
#pragma unroll
      for (int i = 0; i < 8; i++) {
        const size_t m = first_output + output(i), k = stage * STAGE_WORDS + word(i);
        const bool inside = m < of.outputs && k < of.depth;
        values[i] = inside ? to_float(of.w[TRANSPOSED ? k * of.outputs + m : m * of.depth + k]) : 0.0f;
      }
    }
    __device__ __forceinline__ void store(uint32_t* stage) const {
#pragma unroll
      for (int i = 0; i < 8; i++) stage[a_place(output(i), word(i))] = __float_as_uint(values[i]);
    }
  };
};

}  // namespace dpllm
