#include <cstring>

#include "operators/operators.h"

namespace dpllm {

void run(const Take& op, Execution& e) {
  const float* x = e.f32(op.x);
  float* out = e.f32(op.out);
  const size_t width = e.width(op.x);
  for (size_t r = 0; r < e.step.row_count; r++) {
    std::memcpy(out + r * width, x + e.step.rows[r] * width, width * sizeof(float));
  }
}

}  // namespace dpllm
