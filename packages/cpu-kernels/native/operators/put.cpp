#include <cstring>

#include "operators/operators.h"

namespace dpllm {

// Columns are shared out, not rows: several of x's rows may go to the same one.
void run(const Put& op, Execution& e) {
  const float* x = e.f32(op.x);
  float* out = e.f32(op.out);
  const size_t width = e.width(op.x), tokens = e.step.token_count;
  e.pool.parallel_for(width, grain_of(tokens), [&](size_t begin, size_t end, int) {
    for (size_t t = 0; t < tokens; t++) std::memset(out + t * width + begin, 0, (end - begin) * sizeof(float));
    for (size_t r = 0; r < e.step.row_count; r++) {
      float* row = out + e.step.rows[r] * width + begin;
      e.kernels.add(row, x + r * width + begin, row, end - begin);
    }
  });
}

}  // namespace dpllm
