#include "kernels/prepared_rows.h"

#include <cuda_fp16.h>

#include "device/launch.h"
#include "device/memory.h"
#include "kernels/reduce.cuh"
#include "kernels/tiled_planes.cuh"

namespace dpllm {

static size_t col_tiles_of(size_t cols) { return (cols + TILE_COLS - 1) / TILE_COLS; }

size_t prepared_bytes(size_t rows, size_t cols) {
  const size_t tiles = col_tiles_of(cols);
  return aligned(tiles * byte_groups(rows) * BYTES_UINT4 * sizeof(uint4)) +
         aligned(tiles * half_groups(rows) * HALVES_UINT4 * sizeof(uint4)) + aligned(tiles * MAX_FEW_ROWS * sizeof(float));
}

PreparedRows place_prepared(void* memory, size_t rows, size_t cols, bool bytes, bool halves) {
  const size_t tiles = col_tiles_of(cols);
  char* at = static_cast<char*>(memory);
  char* second = at + aligned(tiles * byte_groups(rows) * BYTES_UINT4 * sizeof(uint4));
  char* third = second + aligned(tiles * half_groups(rows) * HALVES_UINT4 * sizeof(uint4));
  return {bytes ? reinterpret_cast<uint4*>(at) : nullptr, halves ? reinterpret_cast<uint4*>(second) : nullptr,
          reinterpret_cast<float*>(third), rows, cols, tiles};
}

__device__ __forceinline__ uint32_t half_bits(float v) {
  const __half half = __float2half_rn(v);
  return *reinterpret_cast<const uint16_t*>(&half);
}

// One warp for each column tile and row.
__global__ void prepare_rows_kernel(const float* x, PreparedRows prepared, uint32_t* zeros, size_t zero_count) {
  __shared__ float values[TILE_COLS];
  const size_t tile = blockIdx.x, m = blockIdx.y;
  const int lane = threadIdx.x;
  const size_t index = (m * gridDim.x + tile) * WARP_LANES + lane;
  for (size_t i = index; i < zero_count; i += static_cast<size_t>(gridDim.x) * gridDim.y * WARP_LANES) zeros[i] = 0;

  float v[TILE_COLS / WARP_LANES];
  uint32_t largest = 0;  // as bits, of which NaN has the largest
  for (int i = 0; i < TILE_COLS / WARP_LANES; i++) {
    const size_t k = tile * TILE_COLS + i * WARP_LANES + lane;
    v[i] = k < prepared.cols ? x[m * prepared.cols + k] : 0.0f;
    largest = max(largest, __float_as_uint(fabsf(v[i])));
  }
  for (int mask = WARP_LANES / 2; mask != 0; mask /= 2) largest = max(largest, __shfl_xor_sync(ALL_LANES, largest, mask));
  const float top = __uint_as_float(largest);
  const float inverse = top > 1e-30f ? 32512.0f / top : 0.0f;
  for (int i = 0; i < TILE_COLS / WARP_LANES; i++) values[i * WARP_LANES + lane] = v[i] * inverse;
  if (lane == 0) prepared.scales[tile * MAX_FEW_ROWS + m] = top / 32512.0f;
  __syncwarp();

  if (prepared.bytes != nullptr) {
    uint32_t* to = reinterpret_cast<uint32_t*>(prepared.bytes + (tile * byte_groups(prepared.rows) + m / 4) * BYTES_UINT4);
    for (int i = lane; i < 64; i += WARP_LANES) {  // 4 values of t, 16 words each
      const int t = i / 16, word = i % 16, w = word / 8, r = word / 2 % 4, upper = word % 2;
      uint32_t high = 0, low = 0;
      for (int e = 0; e < 4; e++) {
        const int q = static_cast<int>(rintf(values[t * 64 + w * 32 + (upper * 4 + e) * 4 + r])), h = (q + 128) >> 8;
        high |= static_cast<uint32_t>(h & 255) << 8 * e;
        low |= static_cast<uint32_t>((q - h * 256) & 255) << 8 * e;
      }
      const size_t column = m % 4 * 2, quad = word / 4 * 32;
      to[(quad + column * 4 + t) * 4 + word % 4] = high;
      to[(quad + (column + 1) * 4 + t) * 4 + word % 4] = low;
    }
  }
  if (prepared.halves != nullptr) {
    uint32_t* to = reinterpret_cast<uint32_t*>(prepared.halves + (tile * half_groups(prepared.rows) + m / 8) * HALVES_UINT4);
    for (int i = lane; i < TILE_COLS; i += WARP_LANES) {
      const int t = i / 64, w = i / 32 % 2, q = i % 32 / 4, r = i % 4, word = (w * 4 + r) * 8 + q;
      const uint32_t high = half_bits(values[i]);
      const __half rounded = __float2half_rn(values[i]);
      const uint32_t low = half_bits(values[i] - __half2float(rounded));
      to[((word / 4) * 32 + m % 8 * 4 + t) * 4 + word % 4] = low << 16 | high;
    }
  }
}

void prepare_rows(const float* x, const PreparedRows& prepared, uint32_t* zeros, size_t zero_count, cudaStream_t stream) {
  const dim3 grid(static_cast<unsigned>(prepared.col_tiles), static_cast<unsigned>(prepared.rows));
  launch("prepare_rows", prepare_rows_kernel, grid, WARP_LANES, 0, stream, x, prepared, zeros, zero_count);
}

}  // namespace dpllm
