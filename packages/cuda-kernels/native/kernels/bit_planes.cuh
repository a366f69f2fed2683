#pragma once
// How kernels read bit-plane weights.
#include <cuda_fp16.h>
#include <cuda_runtime.h>

#include "kernels/tiled_planes.cuh"
#include "kernels/types.h"

namespace dpllm {

// One row's matrix: high_factor W_high + low_factor W_low. Codes are nested, so that those of `high` tell both.
struct Mix {
  int low, high;
  float low_factor, high_factor;  // low_factor 0: W_low is not read
};

__device__ __forceinline__ Mix mix_of_average(const Reading& reading, const BitPlanes& w) {
  // The host has checked an average that a step gives; one that was computed is held within what is loaded.
  const float p = fminf(fmaxf(*reading.average_bits, static_cast<float>(w.seed_bits)), static_cast<float>(w.max_bits));
  const int low = max(w.seed_bits, min(static_cast<int>(p), w.max_bits - 1)), high = min(low + 1, w.max_bits);
  const float fraction = p - static_cast<float>(low);
  if (reading.kind == Reading::Kind::slope) return {low, high, -1.0f, 1.0f};
  if (fraction == 0.0f) return {low, low, 0.0f, 1.0f};
  return {low, high, 1.0f - fraction, fraction};
}

__device__ __forceinline__ Mix mix_of(const Reading& reading, const BitPlanes& w, size_t row) {
  switch (reading.kind) {
    case Reading::Kind::fixed: return {reading.high_bits, reading.high_bits, 0.0f, 1.0f};
    case Reading::Kind::by_row: return {reading.bits[row], reading.bits[row], 0.0f, 1.0f};
    case Reading::Kind::difference: return {reading.low_bits, reading.high_bits, -1.0f, 1.0f};
    default: return mix_of_average(reading, w);
  }
}

__device__ __forceinline__ float lut_value(const BitPlanes& w, int bits, size_t n, unsigned code) {
  return __half2float(reinterpret_cast<const __half*>(w.luts[bits])[(n << bits) + code]);
}

// What a code of `mix.high` bits stands for in row n.
__device__ __forceinline__ float centroid(const BitPlanes& w, const Mix& mix, size_t n, unsigned code) {
  const float high = lut_value(w, mix.high, n, code);
  if (mix.low_factor == 0.0f) return mix.high_factor * high;
  return mix.high_factor * high + mix.low_factor * lut_value(w, mix.low, n, code >> (mix.high - mix.low));
}

// The code of element (n, k) at `bits` bits.
__device__ __forceinline__ unsigned code_at(const BitPlanes& w, int bits, size_t n, size_t k) {
  unsigned code = 0;
  for (int p = 0; p < bits; p++) code = code << 1 | (plane_word(w, p, n, k / 32) >> (k % 32) & 1);
  return code;
}

}  // namespace dpllm
