#include "operators/operators.h"

namespace dpllm {

void run(const RmsNorm& op, Execution& e) {
  const std::vector<float>& weight = e.program.weights[op.weight].widened;
  const size_t n = weight.size();
  const float* x = e.f32(op.x);
  float* out = e.f32(op.out);
  e.pool.parallel_for(e.size(op.x) / n, grain_of(n), [&](size_t begin, size_t end, int) {
    for (size_t run = begin; run < end; run++) e.kernels.rms_norm(x + run * n, weight.data(), op.eps, out + run * n, n);
  });
}

}  // namespace dpllm
