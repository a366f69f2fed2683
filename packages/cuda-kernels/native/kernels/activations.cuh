#pragma once
// Activation functions and their derivatives (core's reference/activations.ts).
#include <cuda_runtime.h>

#include "kernels/types.h"

namespace dpllm {

__device__ __forceinline__ float logistic(float x) { return 1.0f / (1.0f + expf(-x)); }
__device__ __forceinline__ float normal_cdf(float x) { return 0.5f * erfcf(-0.70710678f * x); }
__device__ __forceinline__ float gelu_tanh_argument(float x) { return 0.79788456f * (x + 0.044715f * x * x * x); }

__device__ __forceinline__ float activate(Activation activation, float x) {
  if (activation == Activation::silu) return x * logistic(x);
  if (activation == Activation::gelu) return x * normal_cdf(x);
  // 0.5 (1 + tanh u) = logistic(2 u), without the cancellation where tanh is near -1
  return x * logistic(2.0f * gelu_tanh_argument(x));
}

__device__ __forceinline__ float activation_derivative(Activation activation, float x) {
  if (activation == Activation::silu) {
    const float s = logistic(x);
    return s * (1.0f + x * (1.0f - s));
  }
  if (activation == Activation::gelu) return normal_cdf(x) + x * expf(-0.5f * x * x) * 0.39894228f;
  const float s = logistic(2.0f * gelu_tanh_argument(x));
  return s + 2.0f * x * s * (1.0f - s) * 0.79788456f * (1.0f + 3.0f * 0.044715f * x * x);
}

}  // namespace dpllm
