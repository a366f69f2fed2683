#include "operators/operators.h"

namespace dpllm {

void run(const RmsNormGradient& op, Execution& e) {
  const std::vector<float>& weight = e.program.weights[op.weight].widened;
  const size_t n = weight.size();
  const float *x = e.f32(op.x), *dy = e.f32(op.dy);
  float* out = e.f32(op.out);
  e.pool.parallel_for(e.size(op.x) / n, grain_of(n), [&](size_t begin, size_t end, int) {
    for (size_t at = begin * n; at < end * n; at += n) e.kernels.rms_norm_gradient(x + at, dy + at, weight.data(), op.eps, out + at, n);
  });
}

}  // namespace dpllm
