#pragma once
#include "kernels/reduce.cuh"

namespace dpllm {

// log sum exp(x) = max + log(sum exp(x - max)); every thread of the block gets both.
struct LogSumExp {
  float max;
  double log_sum;
};

// Of x [n]. Sums and the logarithm are taken in double: few operations beside reading x, and differences of these survive.
__device__ __forceinline__ LogSumExp block_log_sum_exp(const float* x, size_t n) {
  float largest = -INFINITY;
  for (size_t i = threadIdx.x; i < n; i += blockDim.x) largest = fmaxf(largest, x[i]);
  largest = block_max(largest);
  double sum = 0.0;
  for (size_t i = threadIdx.x; i < n; i += blockDim.x) sum += expf(x[i] - largest);
  return {largest, log(block_sum(sum))};
}

}  // namespace dpllm
