#include "device/launch.h"
#include "kernels/activations.cuh"
#include "operators/operators.h"

namespace dpllm {

// Either result may be null.
__global__ void gate_gradient_kernel(Activation activation, const float* gate, const float* up, const float* dy, float* d_gate,
                                     float* d_up, size_t n) {
  const size_t i = static_cast<size_t>(blockIdx.x) * blockDim.x + threadIdx.x;
  if (i >= n) return;
  if (d_gate != nullptr) d_gate[i] = dy[i] * up[i] * activation_derivative(activation, gate[i]);
  if (d_up != nullptr) d_up[i] = dy[i] * activate(activation, gate[i]);
}

void run(const GateGradient& op, Execution& e) {
  const size_t n = e.size(op.dy);
  launch("gate_gradient", gate_gradient_kernel, blocks_for(n, BLOCK), BLOCK, 0, e.stream, op.activation, e.f32(op.gate),
         e.f32(op.up), e.f32(op.dy), e.f32(op.d_gate), e.f32(op.d_up), n);
}

}  // namespace dpllm
