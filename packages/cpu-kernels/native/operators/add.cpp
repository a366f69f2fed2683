#include "operators/operators.h"

namespace dpllm {

void run(const Add& op, Execution& e) {
  const float *a = e.f32(op.a), *b = e.f32(op.b);
  float* out = e.f32(op.out);
  e.pool.parallel_for(e.size(op.out), PARALLEL_ELEMENTS, [&](size_t begin, size_t end, int) {
    e.kernels.add(a + begin, b + begin, out + begin, end - begin);
  });
}

}  // namespace dpllm
