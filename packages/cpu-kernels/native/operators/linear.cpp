#include "operators/operators.h"
#include "operators/product.h"

namespace dpllm {

void run(const Linear& op, Execution& e) {
  const float* bias = op.bias == NONE ? nullptr : e.program.weights[op.bias].widened.data();
  const ProductRows all = {op.x, nullptr, e.rows(op.x), bias, e.f32(op.out)};
  for_each_matrix(e, op.weight, op.bits, all, [&](const ProductMatrix& w, const ProductRows& rows) { product(e, w, rows); });
}

}  // namespace dpllm
