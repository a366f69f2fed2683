#include "operators/operators.h"

namespace dpllm {

void run(const Embed& op, Execution& e) {
  const Weight& table = e.program.weights[op.table];
  const size_t width = table.cols, element = table.type == FloatType::f32 ? 4 : 2;
  float* out = e.f32(op.out);
  e.pool.parallel_for(e.step.token_count, grain_of(width), [&](size_t begin, size_t end, int) {
    for (size_t t = begin; t < end; t++) {
      const char* row = static_cast<const char*>(table.data) + e.step.tokens[t] * width * element;
      e.kernels.widen(table.type, row, out + t * width, width);
    }
  });
}

}  // namespace dpllm
