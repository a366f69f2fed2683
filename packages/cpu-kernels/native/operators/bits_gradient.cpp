#include <vector>

#include "operators/average_bits.h"
#include "operators/operators.h"

namespace dpllm {

void run(const BitsGradient& op, Execution& e) {
  Weight& weight = e.program.weights[op.weight];
  const AverageBits around = bits_around(e, weight, op.average_bits);
  const size_t count = e.rows(op.x), N = weight.rows;
  *e.f32(op.out) = 0.0f;
  if (count == 0 || around.low == around.high) return;
  e.workspace.products.reserve(count * N * sizeof(float));
  float* products = e.workspace.products.as<float>();
  tiled_product(e, {{}, &weight, around.high, 1.0f, around.low, -1.0f}, {op.x, nullptr, count, nullptr, products});
  std::vector<double> sums(count);
  const float* dy = e.f32(op.dy);
  e.pool.parallel_for(count, grain_of(N), [&](size_t begin, size_t end, int) {
    for (size_t t = begin; t < end; t++) {
      for (size_t n = t * N; n < (t + 1) * N; n++) sums[t] += static_cast<double>(dy[n]) * products[n];
    }
  });
  double sum = 0;
  for (const double part : sums) sum += part;
  *e.f32(op.out) = static_cast<float>(sum);
}

}  // namespace dpllm
