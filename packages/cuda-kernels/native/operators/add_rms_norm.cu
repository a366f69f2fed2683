#include "device/launch.h"
#include "kernels/float_types.cuh"
#include "kernels/reduce.cuh"
#include "operators/operators.h"

namespace dpllm {

// One block for each row: sum = a + b, out = rmsNorm(sum). `out` may be where a or b is, as the row is read before.
__global__ void add_rms_norm_kernel(const float* a, const float* b, Dense weight, float eps, float* sum, float* out) {
  const size_t D = weight.cols, at = blockIdx.x * D;
  float squares = 0.0f;
  for (size_t i = threadIdx.x; i < D; i += blockDim.x) {
    const float value = a[at + i] + b[at + i];
    sum[at + i] = value;
    squares += value * value;
  }
  const float scale = 1.0f / sqrtf(block_sum(squares) / static_cast<float>(D) + eps);
  for (size_t i = threadIdx.x; i < D; i += blockDim.x) {
    out[at + i] = sum[at + i] * scale * load_float(weight.data, weight.type, i);
  }
}

void run_add_rms_norm(const Add& add, const RmsNorm& norm, Execution& e) {
  const Dense& weight = e.program.weights[norm.weight].dense();
  launch("add_rms_norm", add_rms_norm_kernel, static_cast<unsigned>(e.rows(norm.x)), BLOCK, 0, e.stream, e.f32(add.a),
         e.f32(add.b), weight, norm.eps, e.f32(add.out), e.f32(norm.out));
}

}  // namespace dpllm
