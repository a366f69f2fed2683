#pragma once
// Vectors of one attention head, spread over the lanes of a warp: lane l has elements l, l + 32, ...
#include "kernels/float_types.cuh"
#include "kernels/reduce.cuh"

namespace dpllm {

constexpr int MAX_HEAD_DIM = 256;
constexpr int LANE_ELEMENTS = MAX_HEAD_DIM / WARP_LANES;

struct HeadVector {
  float v[LANE_ELEMENTS];  // zero beyond the head's dimension
};

template <class T>
__device__ __forceinline__ HeadVector load_head(const T* x, int head_dim, float factor = 1.0f) {
  HeadVector result;
#pragma unroll
  for (int i = 0; i < LANE_ELEMENTS; i++) {
    const int at = threadIdx.x % WARP_LANES + i * WARP_LANES;
    result.v[i] = at < head_dim ? factor * to_float(x[at]) : 0.0f;
  }
  return result;
}

__device__ __forceinline__ float dot(const HeadVector& a, const HeadVector& b) {
  float sum = 0.0f;
#pragma unroll
  for (int i = 0; i < LANE_ELEMENTS; i++) sum += a.v[i] * b.v[i];
  return warp_sum(sum);
}

// a = scale * a + factor * b
__device__ __forceinline__ void add_scaled(HeadVector& a, float scale, float factor, const HeadVector& b) {
#pragma unroll
  for (int i = 0; i < LANE_ELEMENTS; i++) a.v[i] = scale * a.v[i] + factor * b.v[i];
}

__device__ __forceinline__ void store_head(float* to, const HeadVector& x, int head_dim) {
#pragma unroll
  for (int i = 0; i < LANE_ELEMENTS; i++) {
    const int at = threadIdx.x % WARP_LANES + i * WARP_LANES;
    if (at < head_dim) to[at] = x.v[i];
  }
}

}  // namespace dpllm
