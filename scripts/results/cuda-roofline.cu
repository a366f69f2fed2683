// The inner loops of the product with few rows, each as a kernel of its own, for cuda-roofline.mjs to count instructions in.
#include "device/launch.h"
#include "kernels/few_rows.cuh"

namespace dpllm {

template <class Lookup>
__device__ __forceinline__ void count(const BitPlanes& w, const PreparedRows& x, float* out) {
  DPLLM_DYNAMIC_SHARED(unsigned char, shared);
  Lookup lookup;
  multiply_tiles(lookup, w, blockIdx.x, blockIdx.y * 8 + threadIdx.x / 32, gridDim.y * 8, x, shared);
  lookup.for_each_sum([&](int row, int m, float sum) { out[(m * 16 + row) * 8 + threadIdx.x / 32] = sum; });
}

#define DPLLM_COUNT(lookup, bits, rows)                                                                            \
  extern "C" __global__ void __launch_bounds__(256, rows <= 4 ? 2 : 1) lookup##_##bits##_##rows(                   \
      const __grid_constant__ BitPlanes w, const __grid_constant__ PreparedRows x, float* out) {                   \
    count<lookup##Lookup<bits, rows>>(w, x, out);                                                                  \
  }

DPLLM_COUNT(Byte, 3, 4)
DPLLM_COUNT(Byte, 4, 4)
DPLLM_COUNT(Half, 5, 4)
DPLLM_COUNT(Half, 6, 4)
DPLLM_COUNT(Half, 7, 4)
DPLLM_COUNT(Half, 8, 4)
DPLLM_COUNT(Byte, 3, 16)
DPLLM_COUNT(Byte, 4, 16)
DPLLM_COUNT(Half, 5, 16)
DPLLM_COUNT(Half, 6, 16)

}  // namespace dpllm
