#include <cstring>

#include "operators/operators.h"

namespace dpllm {

void run(const Concat& op, Execution& e) {
  const size_t width = e.width(op.out);
  e.pool.parallel_for(e.rows(op.out), grain_of(width), [&](size_t begin, size_t end, int) {
    for (size_t t = begin; t < end; t++) {
      float* to = e.f32(op.out) + t * width;
      for (const int x : op.xs) {
        const size_t part = e.width(x);
        std::memcpy(to, e.f32(x) + t * part, part * sizeof(float));
        to += part;
      }
    }
  });
}

}  // namespace dpllm
