#include "device/launch.h"
#include "operators/operators.h"

namespace dpllm {

// One thread for each element of the weight: G[n, k] is the sum of dy[t, n] x[t, k] over the rows.
__global__ void accumulate_kernel(const float* x, const float* dy, size_t rows, size_t N, size_t K, bool squares, float* into) {
  const size_t k = blockIdx.y * blockDim.x + threadIdx.x, n = blockIdx.x;
  if (k >= K) return;
  float gradient = 0.0f;
  for (size_t t = 0; t < rows; t++) gradient += dy[t * N + n] * x[t * K + k];
  into[n * K + k] += squares ? gradient * gradient : gradient;
}

void run(const Accumulate& op, Execution& e) {
  const size_t N = e.width(op.dy), K = e.width(op.x);
  const dim3 grid(static_cast<unsigned>(N), blocks_for(K, BLOCK));
  if (e.rows(op.x) == 0) return;
  launch("accumulate", accumulate_kernel, grid, BLOCK, 0, e.stream, e.f32(op.x), e.f32(op.dy), e.rows(op.x), N, K, op.squares,
         e.program.accumulators[op.into].data.as<float>());
}

}  // namespace dpllm
