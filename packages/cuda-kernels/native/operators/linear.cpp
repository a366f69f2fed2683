#include "operators/operators.h"
#include "operators/product.h"

namespace dpllm {

size_t scratch_bytes(const Linear& op, const Execution& e) {
  const Weight& w = e.program.weights[op.weight];
  return w.bit_planes() ? product_scratch_bytes(w.planes(), e.rows(op.x)) : 0;
}

void run(const Linear& op, Execution& e) {
  const Weight& w = e.program.weights[op.weight];
  const Dense bias = bias_of(e, op.bias);
  if (w.bit_planes()) {
    product(w.planes(), reading_of(e, w, op.bits), e.f32(op.x), e.rows(op.x), bias, e.f32(op.out), e.scratch(), e.stream);
    return;
  }
  product(w.dense(), e.f32(op.x), e.rows(op.x), bias, e.f32(op.out), e.stream);
}

}  // namespace dpllm
