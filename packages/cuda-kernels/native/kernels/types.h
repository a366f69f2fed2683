#pragma once
// What host code and kernels say to each other; plain C++, so that files that nvcc does not compile can include it.
#include <cstddef>
#include <cstdint>

namespace dpllm {

enum class FloatType : int32_t { f32 = 0, f16 = 1, bf16 = 2 };
inline size_t bytes_of(FloatType type) { return type == FloatType::f32 ? 4 : 2; }

enum class Activation : int32_t { silu = 0, gelu = 1, gelu_tanh = 2 };

constexpr int MIN_BITS = 3, MAX_BITS = 8, THRESHOLDS = MAX_BITS - MIN_BITS;

// Dense floats [rows, cols] in device memory.
struct Dense {
  const void* data;
  FloatType type;
  size_t rows, cols;
};

// Tables of a weight whose centroids are looked up as bytes (kernels/byte_tables.cuh); null where they are not.
struct ByteTables {
  const uint8_t* bytes;
  const float* scales;
};

// A bit-plane weight in device memory. Planes are tiled (kernels/tiled_planes.cuh), or, where there are fewer than 3, in the
// canonical layout: u32 [max_bits, rows, words], plane 0 the most significant bit, bit i of word w column 32 w + i.
struct BitPlanes {
  const uint32_t* planes;
  size_t rows, cols, words;
  int seed_bits, max_bits;
  const uint16_t* luts[MAX_BITS + 1];  // by bits: f16 [rows, 2^bits]; null where it cannot be read so
  bool tiled;
  size_t row_tiles, col_tiles;
  ByteTables byte_tables[2];  // of 3 and 4 bits
};

// How the rows of a step read a bit-plane weight.
struct Reading {
  enum class Kind : int32_t {
    fixed,       // high_bits
    by_row,      // bits[t] in row t
    average,     // interpolated between the bit counts around *average_bits (core's bitsAround)
    difference,  // W_high - W_low
    slope,       // W_high - W_low of the bit counts around *average_bits: the derivative of `average` by it
  } kind;
  int low_bits, high_bits;
  const uint8_t* bits;
  const float* average_bits;
};

}  // namespace dpllm
