#include "operators/average_bits.h"
#include "operators/operators.h"

namespace dpllm {

void run(const MixedLinear& op, Execution& e) {
  const float* bias = op.bias == NONE ? nullptr : e.program.weights[op.bias].widened.data();
  const ProductRows rows = {op.x, nullptr, e.rows(op.x), bias, e.f32(op.out)};
  if (rows.count != 0) tiled_product(e, average_matrix(e, op.weight, op.average_bits), rows);
}

}  // namespace dpllm
