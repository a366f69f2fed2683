#pragma once
// Sums and maxima over warps and blocks, in an order that does not change.
#include <cuda_runtime.h>

namespace dpllm {

constexpr int WARP_LANES = 32;
constexpr unsigned ALL_LANES = 0xffffffffu;

template <class T>
__device__ __forceinline__ T warp_sum(T value) {
  for (int mask = WARP_LANES / 2; mask != 0; mask /= 2) value += __shfl_xor_sync(ALL_LANES, value, mask);
  return value;
}

__device__ __forceinline__ float warp_max(float value) {
  for (int mask = WARP_LANES / 2; mask != 0; mask /= 2) value = fmaxf(value, __shfl_xor_sync(ALL_LANES, value, mask));
  return value;
}

// Combines one value of each warp; every thread gets the result. Blocks have whole warps, at most 32.
template <class T, class Combine>
__device__ __forceinline__ T block_combine(T value, T neutral, Combine combine) {
  __shared__ T parts[WARP_LANES];
  const int lane = threadIdx.x % WARP_LANES, warp = threadIdx.x / WARP_LANES, warps = blockDim.x / WARP_LANES;
  value = combine(value);
  __syncthreads();  // the results of a call before have been read
  if (lane == 0) parts[warp] = value;
  __syncthreads();
  return combine(lane < warps ? parts[lane] : neutral);
}

template <class T>
__device__ __forceinline__ T block_sum(T value) {
  return block_combine(value, T(0), [](T v) { return warp_sum(v); });
}

__device__ __forceinline__ float block_max(float value) {
  return block_combine(value, -INFINITY, [](float v) { return warp_max(v); });
}

}  // namespace dpllm
