#include "device/launch.h"
#include "operators/operators.h"

namespace dpllm {

// One thread for each column adds the rows in their order: one row may be there several times.
__global__ void put_kernel(const float* x, const uint32_t* rows, size_t count, size_t width, float* out) {
  const size_t i = static_cast<size_t>(blockIdx.x) * blockDim.x + threadIdx.x;
  if (i >= width) return;
  for (size_t r = 0; r < count; r++) out[rows[r] * width + i] += x[r * width + i];
}

void run(const Put& op, Execution& e) {
  const size_t width = e.width(op.x);
  DPLLM_CUDA(cudaMemsetAsync, e.f32(op.out), 0, e.size(op.out) * sizeof(float), e.stream);
  launch("put", put_kernel, blocks_for(width, BLOCK), BLOCK, 0, e.stream, e.f32(op.x), e.u32(op.rows), e.step.row_count, width,
         e.f32(op.out));
}

}  // namespace dpllm
