#include "kernels/byte_tables.h"

#include <cuda_fp16.h>

#include "device/launch.h"
#include "kernels/tiled_planes.cuh"

namespace dpllm {

// One thread for each row, those of the padding included.
__global__ void byte_tables_kernel(BitPlanes w, int bits) {
  const size_t n = blockIdx.x * static_cast<size_t>(blockDim.x) + threadIdx.x;
  if (n >= w.row_tiles * TILE_ROWS) return;
  const int pairs = bits - 3;
  const auto centroid = [&](int code) {
    return n < w.rows ? __half2float(reinterpret_cast<const __half*>(w.luts[bits])[(n << bits) + code]) : 0.0f;
  };
  float largest = 1e-30f, difference = 1e-30f;
  for (int c = 0; c < 8; c++) largest = fmaxf(largest, fabsf(centroid(c << pairs)));
  const float y = largest / 32512.0f;
  int Y[8];
  for (int c = 0; c < 8; c++) Y[c] = static_cast<int>(rintf(centroid(c << pairs) / y));
  // Of the second centroid, what is left beside the first one as it is rounded.
  const auto rest = [&](int c) { return fmaxf(0.0f, centroid(2 * c + 1) - y * static_cast<float>(Y[c])); };
  for (int c = 0; pairs == 1 && c < 8; c++) difference = fmaxf(difference, rest(c));
  const float x = difference / 16383.0f;

  const ByteTables& tables = w.byte_tables[bits - 3];
  uint8_t* to = const_cast<uint8_t*>(tables.bytes) + (n / TILE_ROWS * byte_tables_of(bits) * TILE_ROWS + n % TILE_ROWS) * 8;
  for (int c = 0; c < 8; c++) {
    const int high = (Y[c] + 128) >> 8;
    to[c] = static_cast<uint8_t>(high);
    to[TILE_ROWS * 8 + c] = static_cast<uint8_t>(Y[c] - 256 * high);
    if (pairs == 0) continue;
    const int X = min(static_cast<int>(rintf(rest(c) / x)), 16383);
    to[2 * TILE_ROWS * 8 + c] = static_cast<uint8_t>(X >> 7);
    to[3 * TILE_ROWS * 8 + c] = static_cast<uint8_t>(X & 127);
  }
  float* scales = const_cast<float*>(tables.scales) + 2 * n;
  scales[0] = y, scales[1] = x;
}

void make_byte_tables(const BitPlanes& w, int bits, cudaStream_t stream) {
  launch("byte_tables", byte_tables_kernel, blocks_for(w.row_tiles * TILE_ROWS, 64), 64, 0, stream, w, bits);
}

bool fits_byte_tables(const uint16_t* luts, size_t rows, int bits) {
  const auto finite = [](uint16_t half) { return (half & 0x7c00) != 0x7c00; };
  // Larger for larger f16.
  const auto rank = [](uint16_t half) { return half & 0x8000 ? 0x8000 - half : static_cast<int>(half); };
  for (size_t i = 0; i < rows << bits; i += 2) {
    if (!finite(luts[i]) || !finite(luts[i + 1])) return false;
    if (bits == 4 && rank(luts[i]) > rank(luts[i + 1])) return false;
  }
  return true;
}

}  // namespace dpllm
