#include "operators/operators.h"
#include "operators/weight_gradient.h"

namespace dpllm {

void run(const AccumulateTables& op, Execution& e) {
  Accumulator& into = e.program.accumulators[op.into];
  const ProductRows all = {op.x, nullptr, e.rows(op.x), nullptr, nullptr};
  for_each_matrix(e, op.weight, op.bits, all, [&](const ProductMatrix& w, const ProductRows& rows) {
    const Weight& weight = *w.weight;
    const BitPlaneView view = {weight.planes, weight.rows, weight.cols, (weight.cols + 31) / 32, w.bits, nullptr, nullptr, nullptr};
    // Tables of all bit counts follow each other, fewest bits first.
    float* tables = into.data.get() + (size_t{1} << w.bits) - (size_t{1} << weight.seed_bits);
    weight_gradient(e, op.x, op.dy, rows.tokens, rows.count, [&](const GradientTile& tile) {
      for (size_t r = 0; r < tile.rows; r++) {
        e.kernels.accumulate_codes(view, tile.row + r, tile.col, tile.cols, tile.data + r * e.kernels.panel,
                                   tables + (tile.row + r) * into.cols);
      }
    });
  });
}

}  // namespace dpllm
