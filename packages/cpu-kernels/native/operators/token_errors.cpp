#include "operators/operators.h"
#include "operators/product.h"

namespace dpllm {

void run(const TokenErrors& op, Execution& e) {
  Weight& weight = e.program.weights[op.weight];
  const size_t count = e.rows(op.x), N = weight.rows;
  if (count == 0) return;
  e.workspace.products.reserve(count * N * sizeof(float));
  float* products = e.workspace.products.as<float>();
  tiled_product(e, {{}, &weight, op.high, 1.0f, op.low, -1.0f}, {op.x, nullptr, count, nullptr, products});
  const float* dy = e.f32(op.dy);
  float* out = e.f32(op.out);
  e.pool.parallel_for(count, grain_of(N), [&](size_t begin, size_t end, int) {
    for (size_t t = begin; t < end; t++) {
      double sum = 0;
      for (size_t n = t * N; n < (t + 1) * N; n++) {
        const double product = static_cast<double>(dy[n]) * products[n];
        sum += product * product;
      }
      out[t] = static_cast<float>(sum);
    }
  });
}

}  // namespace dpllm
