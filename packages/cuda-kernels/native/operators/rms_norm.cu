#include "device/launch.h"
#include "kernels/float_types.cuh"
#include "kernels/reduce.cuh"
#include "operators/operators.h"

namespace dpllm {

// One block for each run of weight.cols elements.
__global__ void rms_norm_kernel(const float* x, Dense weight, float eps, float* out) {
  const size_t D = weight.cols, at = blockIdx.x * D;
  float sum = 0.0f;
  for (size_t i = threadIdx.x; i < D; i += blockDim.x) sum += x[at + i] * x[at + i];
  const float scale = 1.0f / sqrtf(block_sum(sum) / static_cast<float>(D) + eps);
  for (size_t i = threadIdx.x; i < D; i += blockDim.x) out[at + i] = x[at + i] * scale * load_float(weight.data, weight.type, i);
}

void run(const RmsNorm& op, Execution& e) {
  const Dense& weight = e.program.weights[op.weight].dense();
  const auto runs = static_cast<unsigned>(e.size(op.x) / weight.cols);
  launch("rms_norm", rms_norm_kernel, runs, BLOCK, 0, e.stream, e.f32(op.x), weight, op.eps, e.f32(op.out));
}

}  // namespace dpllm
