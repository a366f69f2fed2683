#include "device/launch.h"
#include "kernels/softmax.cuh"
#include "operators/operators.h"

namespace dpllm {

// One block for each row: the sum of P d with d = log P - log Q. The sums of P and of Q are both 1, so P (exp(-d) - 1) = Q - P
// may be added to each term: then none is negative, and divergences of almost equal distributions do not cancel.
__global__ void kl_divergence_kernel(const float* logits, const float* teacher, size_t classes, float* out) {
  const float *q = logits + blockIdx.x * classes, *p = teacher + blockIdx.x * classes;
  const LogSumExp all_q = block_log_sum_exp(q, classes), all_p = block_log_sum_exp(p, classes);
  double sum = 0.0;
  for (size_t v = threadIdx.x; v < classes; v += blockDim.x) {
    const double log_p = (static_cast<double>(p[v]) - all_p.max) - all_p.log_sum;
    const double d = log_p - ((static_cast<double>(q[v]) - all_q.max) - all_q.log_sum);
    sum += exp(log_p) * (d + expm1(-d));
  }
  sum = block_sum(sum);
  if (threadIdx.x == 0) out[blockIdx.x] = static_cast<float>(sum);
}

void run(const KlDivergence& op, Execution& e) {
  const auto rows = static_cast<unsigned>(e.step.row_count);
  launch("kl_divergence", kl_divergence_kernel, rows, 512, 0, e.stream, e.f32(op.logits), e.f32(op.teacher), e.width(op.logits),
         e.f32(op.out));
}

}  // namespace dpllm
