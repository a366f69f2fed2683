#include "device/launch.h"
#include "kernels/softmax.cuh"
#include "operators/operators.h"

namespace dpllm {

// One block for each row.
__global__ void kl_divergence_gradient_kernel(const float* logits, const float* teacher, size_t classes, float scale,
                                              float* out) {
  const size_t at = blockIdx.x * classes;
  const LogSumExp q = block_log_sum_exp(logits + at, classes), p = block_log_sum_exp(teacher + at, classes);
  const float inverse_q = static_cast<float>(exp(-q.log_sum)), inverse_p = static_cast<float>(exp(-p.log_sum));
  for (size_t v = threadIdx.x; v < classes; v += blockDim.x) {
    out[at + v] = scale * (expf(logits[at + v] - q.max) * inverse_q - expf(teacher[at + v] - p.max) * inverse_p);
  }
}

void run(const KlDivergenceGradient& op, Execution& e) {
  const auto rows = static_cast<unsigned>(e.step.row_count);
  launch("kl_divergence_gradient", kl_divergence_gradient_kernel, rows, 512, 0, e.stream, e.f32(op.logits), e.f32(op.teacher),
         e.width(op.logits), op.scale, e.f32(op.out));
}

}  // namespace dpllm
