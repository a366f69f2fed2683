#include "operators/operators.h"
#include "operators/product.h"

namespace dpllm {

void run(const LinearTransposed& op, Execution& e) {
  const Weight& w = e.program.weights[op.weight];
  if (w.bit_planes())
    transposed_product(w.planes(), reading_of(e, w, op.bits), e.f32(op.dy), e.rows(op.dy), e.f32(op.out), e.stream);
  else transposed_product(w.dense(), e.f32(op.dy), e.rows(op.dy), e.f32(op.out), e.stream);
}

}  // namespace dpllm
