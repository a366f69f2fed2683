#include "device/launch.h"
#include "kernels/float_types.cuh"
#include "kernels/reduce.cuh"
#include "operators/operators.h"

namespace dpllm {

// One block for each run of weight.cols elements.
__global__ void rms_norm_gradient_kernel(const float* x, const float* dy, Dense weight, float eps, float* out) {
  const size_t D = weight.cols, at = blockIdx.x * D;
  float squares = 0.0f, dot = 0.0f;
  for (size_t i = threadIdx.x; i < D; i += blockDim.x) {
    squares += x[at + i] * x[at + i];
    dot += load_float(weight.data, weight.type, i) * dy[at + i] * x[at + i];
  }
  const float scale = 1.0f / sqrtf(block_sum(squares) / static_cast<float>(D) + eps);
  const float along = scale * scale * scale * block_sum(dot) / static_cast<float>(D);
  for (size_t i = threadIdx.x; i < D; i += blockDim.x) {
    out[at + i] = scale * load_float(weight.data, weight.type, i) * dy[at + i] - along * x[at + i];
  }
}

void run(const RmsNormGradient& op, Execution& e) {
  const Dense& weight = e.program.weights[op.weight].dense();
  const auto runs = static_cast<unsigned>(e.size(op.x) / weight.cols);
  launch("rms_norm_gradient", rms_norm_gradient_kernel, runs, BLOCK, 0, e.stream, e.f32(op.x), e.f32(op.dy), weight, op.eps,
         e.f32(op.out));
}

}  // namespace dpllm
