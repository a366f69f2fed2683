#include "device/launch.h"
#include "kernels/reduce.cuh"
#include "operators/operators.h"
#include "operators/product.h"

namespace dpllm {

// One block for each token: the sum of (dy (W_high - W_low) x)^2 over N outputs.
__global__ void token_errors_kernel(const float* dy, const float* products, size_t N, float* out) {
  double sum = 0.0;
  for (size_t n = threadIdx.x; n < N; n += blockDim.x) {
    const double error = static_cast<double>(dy[blockIdx.x * N + n]) * products[blockIdx.x * N + n];
    sum += error * error;
  }
  sum = block_sum(sum);
  if (threadIdx.x == 0) out[blockIdx.x] = static_cast<float>(sum);
}

size_t scratch_bytes(const TokenErrors& op, const Execution& e) { return e.size(op.dy) * sizeof(float); }

void run(const TokenErrors& op, Execution& e) {
  const BitPlanes& w = e.program.weights[op.weight].planes();
  const size_t rows = e.rows(op.x);
  product(w, difference_reading(op.low, op.high), e.f32(op.x), rows, {}, e.scratch(), e.stream);
  launch("token_errors", token_errors_kernel, static_cast<unsigned>(rows), BLOCK, 0, e.stream, e.f32(op.dy), e.scratch(), w.rows,
         e.f32(op.out));
}

}  // namespace dpllm
