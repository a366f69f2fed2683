#include "operators/operators.h"
#include "operators/product.h"

namespace dpllm {

void run(const LinearTransposed& op, Execution& e) {
  const ProductRows all = {op.dy, nullptr, e.rows(op.dy), nullptr, e.f32(op.out)};
  for_each_matrix(e, op.weight, op.bits, all, [&](const ProductMatrix& w, const ProductRows& rows) { transposed_product(e, w, rows); });
}

}  // namespace dpllm
