#include "device/launch.h"
#include "kernels/activations.cuh"
#include "operators/operators.h"

namespace dpllm {

__global__ void gate_kernel(Activation activation, const float* gate, const float* up, float* out, size_t n) {
  const size_t i = static_cast<size_t>(blockIdx.x) * blockDim.x + threadIdx.x;
  if (i < n) out[i] = activate(activation, gate[i]) * up[i];
}

void run(const Gate& op, Execution& e) {
  const size_t n = e.size(op.out);
  launch("gate", gate_kernel, blocks_for(n, BLOCK), BLOCK, 0, e.stream, op.activation, e.f32(op.gate), e.f32(op.up),
         e.f32(op.out), n);
}

}  // namespace dpllm
