#include "operators/operators.h"
#include "operators/product.h"

namespace dpllm {

void run(const MixedLinear& op, Execution& e) {
  const BitPlanes& w = e.program.weights[op.weight].planes();
  product(w, average_reading(e, op.average_bits), e.f32(op.x), e.rows(op.x), bias_of(e, op.bias), e.f32(op.out), e.stream);
}

void run(const MixedLinearTransposed& op, Execution& e) {
  const BitPlanes& w = e.program.weights[op.weight].planes();
  transposed_product(w, average_reading(e, op.average_bits), e.f32(op.dy), e.rows(op.dy), e.f32(op.out), e.stream);
}

}  // namespace dpllm
