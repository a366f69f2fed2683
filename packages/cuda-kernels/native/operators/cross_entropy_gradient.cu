#include "device/launch.h"
#include "kernels/softmax.cuh"
#include "operators/operators.h"

namespace dpllm {

// One block for each row. The target's own P - 1 is minus the sum of the others, which does not cancel where P is nearly 1.
__global__ void cross_entropy_gradient_kernel(const float* logits, const uint32_t* targets, size_t classes, float scale,
                                              float* out) {
  const size_t at = blockIdx.x * classes, target = targets[blockIdx.x];
  const LogSumExp all = block_log_sum_exp(logits + at, classes);
  const float inverse = static_cast<float>(exp(-all.log_sum));
  double others = 0.0;
  for (size_t v = threadIdx.x; v < classes; v += blockDim.x) {
    if (v == target) continue;
    const float probability = expf(logits[at + v] - all.max) * inverse;
    out[at + v] = scale * probability;
    others += probability;
  }
  others = block_sum(others);
  if (threadIdx.x == 0) out[at + target] = static_cast<float>(-scale * others);
}

void run(const CrossEntropyGradient& op, Execution& e) {
  const auto rows = static_cast<unsigned>(e.step.row_count);
  launch("cross_entropy_gradient", cross_entropy_gradient_kernel, rows, 512, 0, e.stream, e.f32(op.logits), e.u32(op.targets),
         e.width(op.logits), op.scale, e.f32(op.out));
}

}  // namespace dpllm
