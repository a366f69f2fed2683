#include <cmath>

#include "operators/operators.h"

namespace dpllm {

// Logarithm of the sum of exp(x) over a row.
static double log_sum_exp(const Execution& e, const float* x, size_t width) {
  const float max = e.kernels.max(x, width);
  return std::log(e.kernels.sum_exp(x, max, width)) + max;
}

// Sum of P d with d = log P - log Q. The sums of P and of Q are both 1, so P (exp(-d) - 1) = Q - P may be added to each term:
// then none is negative, and divergences of almost equal distributions do not cancel.
void run(const KlDivergence& op, Execution& e) {
  const float *logits = e.f32(op.logits), *teacher = e.f32(op.teacher);
  float* out = e.f32(op.out);
  const size_t width = e.width(op.logits);
  e.pool.parallel_for(e.step.row_count, 1, [&](size_t begin, size_t end, int) {
    for (size_t r = begin; r < end; r++) {
      const float *q = logits + r * width, *p = teacher + r * width;
      const double log_q = log_sum_exp(e, q, width), log_p = log_sum_exp(e, p, width);
      double sum = 0;
      for (size_t v = 0; v < width; v++) {
        const double d = (p[v] - log_p) - (q[v] - log_q);
        sum += std::exp(p[v] - log_p) * (d + std::expm1(-d));
      }
      out[r] = static_cast<float>(sum);
    }
  });
}

}  // namespace dpllm
