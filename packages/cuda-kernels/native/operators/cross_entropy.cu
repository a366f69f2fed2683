#include "device/launch.h"
#include "kernels/softmax.cuh"
#include "operators/operators.h"

namespace dpllm {

// One block for each row.
__global__ void cross_entropy_kernel(const float* logits, const uint32_t* targets, size_t classes, float* out) {
  const float* x = logits + blockIdx.x * classes;
  const LogSumExp all = block_log_sum_exp(x, classes);
  if (threadIdx.x == 0)
    out[blockIdx.x] = static_cast<float>(all.log_sum + (static_cast<double>(all.max) - x[targets[blockIdx.x]]));
}

void run(const CrossEntropy& op, Execution& e) {
  const auto rows = static_cast<unsigned>(e.step.row_count);
  launch("cross_entropy", cross_entropy_kernel, rows, 512, 0, e.stream, e.f32(op.logits), e.u32(op.targets), e.width(op.logits),
         e.f32(op.out));
}

}  // namespace dpllm
