#include "device/launch.h"
#include "kernels/float_types.cuh"
#include "operators/operators.h"

namespace dpllm {

// One block for each token.
__global__ void embed_kernel(const uint32_t* tokens, Dense table, float* out) {
  const size_t from = tokens[blockIdx.x] * table.cols, to = blockIdx.x * table.cols;
  for (size_t i = threadIdx.x; i < table.cols; i += blockDim.x) out[to + i] = load_float(table.data, table.type, from + i);
}

void run(const Embed& op, Execution& e) {
  const auto tokens = static_cast<unsigned>(e.step.token_count);
  launch("embed", embed_kernel, tokens, BLOCK, 0, e.stream, e.u32(op.tokens), e.program.weights[op.table].dense(), e.f32(op.out));
}

}  // namespace dpllm
