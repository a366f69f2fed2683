#include "device/launch.h"
#include "kernels/bit_planes.cuh"
#include "kernels/float_types.cuh"
#include "kernels/reduce.cuh"
#include "operators/product.h"

namespace dpllm {

// What one lane adds: words lane, lane + 32, ... of a row, at BITS bits, with the row's centroids in `table`.
template <int BITS>
__device__ __forceinline__ float lane_sum(const BitPlanes& w, size_t n, const float* table, const float* x) {
  float sum = 0.0f;
  for (size_t word = threadIdx.x % WARP_LANES; word < w.words; word += WARP_LANES) {
    uint32_t bits[BITS];
#pragma unroll
    for (int p = 0; p < BITS; p++) bits[p] = plane_word(w, p, n, word);
    const size_t first = 32 * word;
    const int columns = static_cast<int>(w.cols - first < 32 ? w.cols - first : 32);
    for (int i = 0; i < columns; i++) {
      unsigned code = 0;
#pragma unroll
      for (int p = 0; p < BITS; p++) code = code << 1 | (bits[p] >> i & 1);
      sum += table[code] * x[first + i];
    }
  }
  return sum;
}

// The number of bits is read from device memory; the same for a whole block, so that no warp diverges.
__device__ __forceinline__ float lane_sum_of(int bits, const BitPlanes& w, size_t n, const float* table, const float* x) {
  switch (bits) {
    case 1: return lane_sum<1>(w, n, table, x);
    case 2: return lane_sum<2>(w, n, table, x);
    case 3: return lane_sum<3>(w, n, table, x);
    case 4: return lane_sum<4>(w, n, table, x);
    case 5: return lane_sum<5>(w, n, table, x);
    case 6: return lane_sum<6>(w, n, table, x);
    case 7: return lane_sum<7>(w, n, table, x);
    default: return lane_sum<8>(w, n, table, x);
  }
}

// Version 1: one warp for each element of the result, exact centroids, f32 throughout; any shape, bits 1 .. 8.
__global__ void bit_plane_product_kernel(BitPlanes w, Reading reading, const float* x, Dense bias, float* out) {
  __shared__ float tables[PRODUCT_WARPS][1 << MAX_BITS];
  const int lane = threadIdx.x % WARP_LANES, warp = threadIdx.x / WARP_LANES;
  const size_t n = blockIdx.y * PRODUCT_WARPS + warp, t = blockIdx.x;
  if (n >= w.rows) return;
  const Mix mix = mix_of(reading, w, t);
  float* table = tables[warp];
  for (int code = lane; code < 1 << mix.high; code += WARP_LANES) table[code] = centroid(w, mix, n, code);
  __syncwarp();
  const float sum = warp_sum(lane_sum_of(mix.high, w, n, table, x + t * w.cols));
  if (lane == 0) out[t * w.rows + n] = bias.data == nullptr ? sum : sum + load_float(bias.data, bias.type, n);
}

void plain_product(const BitPlanes& w, const Reading& reading, const float* x, size_t rows, const Dense& bias, float* out,
                   cudaStream_t stream) {
  launch("bit_plane_product", bit_plane_product_kernel, product_grid(rows, w.rows), PRODUCT_WARPS * WARP_LANES, 0, stream, w,
         reading, x, bias, out);
}

// One thread for each element of the result.
__global__ void bit_plane_transposed_kernel(BitPlanes w, Reading reading, const float* dy, float* out) {
  const size_t k = blockIdx.y * blockDim.x + threadIdx.x, t = blockIdx.x;
  if (k >= w.cols) return;
  const Mix mix = mix_of(reading, w, t);
  float sum = 0.0f;
  for (size_t n = 0; n < w.rows; n++) sum += centroid(w, mix, n, code_at(w, mix.high, n, k)) * dy[t * w.rows + n];
  out[t * w.cols + k] = sum;
}

void plain_transposed_product(const BitPlanes& w, const Reading& reading, const float* dy, size_t rows, float* out,
                              cudaStream_t stream) {
  constexpr unsigned threads = 128;
  launch("bit_plane_transposed", bit_plane_transposed_kernel, dim3(static_cast<unsigned>(rows), blocks_for(w.cols, threads)),
         threads, 0, stream, w, reading, dy, out);
}

}  // namespace dpllm
