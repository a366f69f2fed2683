#include "operators/weight_gradient.h"

#include <algorithm>

namespace dpllm {

const float* pack_columns(Execution& e, const ProductRows& x) {
  Prepared& packed = e.workspace.packed_columns;
  const size_t K = e.width(x.value), panel = e.kernels.panel, panels = (K + panel - 1) / panel;
  const bool whole = x.tokens == nullptr || x.count == e.rows(x.value);
  if (whole && packed.value == x.value) return packed.buffer.as<float>();
  packed.buffer.reserve(panels * x.count * panel * sizeof(float));
  float* out = packed.buffer.as<float>();
  const float* values = e.f32(x.value);
  e.pool.parallel_for(x.count, 8, [&](size_t begin, size_t end, int) {
    for (size_t i = begin; i < end; i++) {
      const float* row = values + x.row(i) * K;
      for (size_t p = 0; p < panels; p++) {
        float* to = out + (p * x.count + i) * panel;
        const size_t cols = std::min(panel, K - p * panel);
        std::memcpy(to, row + p * panel, cols * sizeof(float));
        std::memset(to + cols, 0, (panel - cols) * sizeof(float));
      }
    }
  });
  packed.value = whole ? x.value : NONE;
  return out;
}

void gather_columns(const Execution& e, const ProductRows& dy, size_t row, size_t rows, float* out) {
  const size_t N = e.width(dy.value);
  for (size_t i = 0; i < dy.count; i++) {
    std::memcpy(out + i * GRADIENT_ROWS, e.f32(dy.value) + dy.row(i) * N + row, rows * sizeof(float));
  }
}

}  // namespace dpllm
