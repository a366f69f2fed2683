#include "device/launch.h"
#include "operators/operators.h"
#include "operators/rotate.cuh"

namespace dpllm {

// A block for each token and head.
__global__ void rope_kernel(Rotation rotation, const float* x, const StepParameters* parameters, float* out) {
  const size_t head = (static_cast<size_t>(blockIdx.x) * gridDim.y + blockIdx.y) * rotation.head_dim;
  rotate_head(rotation, x + head, parameters->position + blockIdx.x, out + head);
}

void run(const Rope& op, Execution& e) {
  const dim3 grid(static_cast<unsigned>(e.rows(op.x)), static_cast<unsigned>(e.width(op.x) / op.head_dim));
  const Rotation rotation = {e.program.weights[op.frequencies].dense(), static_cast<unsigned>(op.head_dim), op.scale,
                             op.transposed ? -1.0f : 1.0f};
  launch("rope", rope_kernel, grid, 64, 0, e.stream, rotation, e.f32(op.x), e.parameters(), e.f32(op.out));
}

}  // namespace dpllm
