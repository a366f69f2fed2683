#include "device/launch.h"
#include "kernels/reduce.cuh"
#include "operators/operators.h"
#include "operators/product.h"

namespace dpllm {

// One block: the sum of dy * products over all n elements.
__global__ void bits_gradient_kernel(const float* dy, const float* products, size_t n, float* out) {
  double sum = 0.0;
  for (size_t i = threadIdx.x; i < n; i += blockDim.x) sum += static_cast<double>(dy[i]) * products[i];
  sum = block_sum(sum);
  if (threadIdx.x == 0) *out = static_cast<float>(sum);
}

size_t scratch_bytes(const BitsGradient& op, const Execution& e) { return e.size(op.dy) * sizeof(float); }

void run(const BitsGradient& op, Execution& e) {
  const BitPlanes& w = e.program.weights[op.weight].planes();
  const Reading slope = {Reading::Kind::slope, 0, 0, nullptr, e.f32(op.average_bits)};
  product(w, slope, e.f32(op.x), e.rows(op.x), {}, e.scratch(), e.stream);
  launch("bits_gradient", bits_gradient_kernel, 1, 1024, 0, e.stream, e.f32(op.dy), e.scratch(), e.size(op.dy), e.f32(op.out));
}

}  // namespace dpllm
