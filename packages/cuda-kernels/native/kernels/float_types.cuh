#pragma once
// Reading and writing floats of 16 and 32 bits.
#include <cuda_fp16.h>
#include <cuda_runtime.h>

#include "kernels/types.h"

namespace dpllm {

struct bfloat16 {
  uint16_t bits;
};

__device__ __forceinline__ float to_float(float value) { return value; }
__device__ __forceinline__ float to_float(__half value) { return __half2float(value); }
__device__ __forceinline__ float to_float(bfloat16 value) { return __uint_as_float(static_cast<uint32_t>(value.bits) << 16); }

__device__ __forceinline__ void store_float(float* to, float value) { *to = value; }
__device__ __forceinline__ void store_float(__half* to, float value) { *to = __float2half_rn(value); }

// Element i of floats of a type that is known at run time only.
__device__ __forceinline__ float load_float(const void* data, FloatType type, size_t i) {
  if (type == FloatType::f32) return static_cast<const float*>(data)[i];
  if (type == FloatType::f16) return to_float(static_cast<const __half*>(data)[i]);
  return to_float(static_cast<const bfloat16*>(data)[i]);
}

// Calls body with a null pointer of the type's elements.
template <class Body>
void with_type(FloatType type, Body&& body) {
  if (type == FloatType::f32) body(static_cast<float*>(nullptr));
  else if (type == FloatType::f16) body(static_cast<__half*>(nullptr));
  else body(static_cast<bfloat16*>(nullptr));
}

}  // namespace dpllm
