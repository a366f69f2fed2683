#include "operators/operators.h"
#include "operators/weight_gradient.h"

namespace dpllm {

void run(const Accumulate& op, Execution& e) {
  Accumulator& into = e.program.accumulators[op.into];
  weight_gradient(e, op.x, op.dy, nullptr, e.rows(op.x), [&](const GradientTile& tile) {
    float* out = into.data.get() + tile.row * into.cols + tile.col;
    e.kernels.accumulate_tile(tile.data, tile.rows, tile.cols, op.squares, out, into.cols);
  });
}

}  // namespace dpllm
