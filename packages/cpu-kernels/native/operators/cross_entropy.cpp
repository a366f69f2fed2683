#include <cmath>

#include "operators/operators.h"

namespace dpllm {

void run(const CrossEntropy& op, Execution& e) {
  const float* logits = e.f32(op.logits);
  float* out = e.f32(op.out);
  const size_t width = e.width(op.logits);
  e.pool.parallel_for(e.step.row_count, 1, [&](size_t begin, size_t end, int) {
    for (size_t r = begin; r < end; r++) {
      const float* row = logits + r * width;
      const float max = e.kernels.max(row, width);
      const double log_sum = std::log(e.kernels.sum_exp(row, max, width));
      out[r] = static_cast<float>(log_sum + max - row[e.step.targets[r]]);
    }
  });
}

}  // namespace dpllm
