#include "operators/operators.h"

namespace dpllm {

void run(const KlDivergenceGradient& op, Execution& e) {
  const float *logits = e.f32(op.logits), *teacher = e.f32(op.teacher);
  float* out = e.f32(op.out);
  const size_t width = e.width(op.logits);
  const auto softmax = [&](const float* x, double scale, float* to) {
    const float max = e.kernels.max(x, width);
    e.kernels.scaled_exp(x, max, static_cast<float>(scale / e.kernels.sum_exp(x, max, width)), to, width);
  };
  e.pool.reserve_scratch(width * sizeof(float));
  e.pool.parallel_for(e.step.row_count, 1, [&](size_t begin, size_t end, int thread) {
    float* wanted = reinterpret_cast<float*>(e.pool.scratch(thread));
    for (size_t at = begin * width; at < end * width; at += width) {
      softmax(logits + at, op.scale, out + at);
      softmax(teacher + at, -static_cast<double>(op.scale), wanted);
      e.kernels.add(out + at, wanted, out + at, width);
    }
  });
}

}  // namespace dpllm
