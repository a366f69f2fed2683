#include "operators/average_bits.h"
#include "operators/operators.h"

namespace dpllm {

void run(const MixedLinearTransposed& op, Execution& e) {
  transposed_product(e, average_matrix(e, op.weight, op.average_bits), {op.dy, nullptr, e.rows(op.dy), nullptr, e.f32(op.out)});
}

}  // namespace dpllm
