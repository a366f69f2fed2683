#include <cmath>

#include "operators/operators.h"

namespace dpllm {

void run(const CrossEntropyGradient& op, Execution& e) {
  const float* logits = e.f32(op.logits);
  float* out = e.f32(op.out);
  const size_t width = e.width(op.logits);
  e.pool.parallel_for(e.step.row_count, 1, [&](size_t begin, size_t end, int) {
    for (size_t r = begin; r < end; r++) {
      const float* row = logits + r * width;
      const float max = e.kernels.max(row, width);
      const double sum = e.kernels.sum_exp(row, max, width);
      e.kernels.scaled_exp(row, max, static_cast<float>(op.scale / sum), out + r * width, width);
      // In double: of a target that is almost certain little is left.
      const size_t target = e.step.targets[r];
      const double probability = std::exp(static_cast<double>(row[target]) - max) / sum;
      out[r * width + target] = static_cast<float>(op.scale * (probability - 1.0));
    }
  });
}

}  // namespace dpllm
