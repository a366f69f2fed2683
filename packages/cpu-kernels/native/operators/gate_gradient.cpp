#include "operators/operators.h"

namespace dpllm {

void run(const GateGradient& op, Execution& e) {
  const float *gate = e.f32(op.gate), *up = e.f32(op.up), *dy = e.f32(op.dy);
  // One that nothing reads has no place.
  float *d_gate = e.f32(op.d_gate), *d_up = e.f32(op.d_up);
  e.pool.parallel_for(e.size(op.dy), PARALLEL_ELEMENTS / 4, [&](size_t begin, size_t end, int) {
    e.kernels.gate_gradient(op.activation, gate + begin, up + begin, dy + begin, d_gate ? d_gate + begin : nullptr,
                            d_up ? d_up + begin : nullptr, end - begin);
  });
}

}  // namespace dpllm
