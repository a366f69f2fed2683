#include "operators/operators.h"
#include "operators/product.h"

namespace dpllm {

void run(const Linear& op, Execution& e) {
  const Weight& w = e.program.weights[op.weight];
  const Dense bias = bias_of(e, op.bias);
  if (w.bit_planes()) product(w.planes(), reading_of(e, w, op.bits), e.f32(op.x), e.rows(op.x), bias, e.f32(op.out), e.stream);
  else product(w.dense(), e.f32(op.x), e.rows(op.x), bias, e.f32(op.out), e.stream);
}

}  // namespace dpllm
