#include "operators/operators.h"
#include "operators/product.h"

namespace dpllm {

// Makes `tokens` the rows that read `bits` bits; returns how many.
static size_t rows_with(const uint8_t* bits_of, size_t count, int bits, std::vector<uint32_t>& tokens) {
  tokens.clear();
  for (size_t t = 0; t < count; t++) {
    if (bits_of[t] == bits) tokens.push_back(static_cast<uint32_t>(t));
  }
  return tokens.size();
}

void run(const Linear& op, Execution& e) {
  Weight& weight = e.program.weights[op.weight];
  const float* bias = op.bias == NONE ? nullptr : e.program.weights[op.bias].widened.data();
  const size_t count = e.rows(op.x);
  ProductRows rows = {op.x, nullptr, count, bias, e.f32(op.out)};
  if (!weight.bit_planes) return product(e, {{weight.data, weight.type, weight.rows, weight.cols}}, rows);
  if (op.bits == NONE) return product(e, {{}, &weight, weight.max_bits}, rows);

  // Rows that read the same bits are multiplied together.
  std::vector<uint32_t>& tokens = e.workspace.tokens;
  for (int bits = weight.seed_bits; bits <= weight.max_bits; bits++) {
    rows.count = rows_with(e.u8(op.bits), count, bits, tokens);
    rows.tokens = tokens.data();
    product(e, {{}, &weight, bits}, rows);
  }
}

}  // namespace dpllm
