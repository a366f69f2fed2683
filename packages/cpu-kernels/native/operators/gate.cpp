#include "operators/operators.h"

namespace dpllm {

void run(const Gate& op, Execution& e) {
  const float *gate = e.f32(op.gate), *up = e.f32(op.up);
  float* out = e.f32(op.out);
  // An exponential costs about as much as 4 elements of plain arithmetic.
  e.pool.parallel_for(e.size(op.out), PARALLEL_ELEMENTS / 4, [&](size_t begin, size_t end, int) {
    e.kernels.gate(op.activation, gate + begin, up + begin, out + begin, end - begin);
  });
}

}  // namespace dpllm
