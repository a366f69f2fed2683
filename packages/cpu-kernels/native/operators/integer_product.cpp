#include <algorithm>

#include "operators/fixed_point.h"
#include "operators/product.h"

namespace dpllm {

static constexpr int ACTIVATION_BITS = 8;

// Rows of weights that are taken together, and multiplications below which a second thread is not worth waking.
static constexpr size_t ROWS = 16, PARALLEL_WORK = 1 << 20;

// Runs of 512 activations that one thread converts at least.
static constexpr size_t PARALLEL_PANELS = 16;

// All rows of a value as integers, once for all products that read it.
static const uint8_t* quantize(Execution& e, int value) {
  Prepared& prepared = e.workspace.quantized_panels;
  if (prepared.value == value) return prepared.buffer.as();
  const size_t width = e.width(value), count = e.rows(value), panels = (width + TILE_COLS - 1) / TILE_COLS;
  prepared.stride = e.kernels.activation_bytes(TILE_COLS, ACTIVATION_BITS);
  prepared.buffer.reserve(panels * count * prepared.stride);
  const float* x = e.f32(value);
  e.pool.parallel_for(count * panels, PARALLEL_PANELS, [&](size_t begin, size_t end, int) {
    for (size_t i = begin; i < end; i++) {
      const size_t row = i / panels, panel = i % panels, first = panel * TILE_COLS;
      e.kernels.quantize_activations(x + row * width + first, std::min(TILE_COLS, width - first), ACTIVATION_BITS,
                                     prepared.buffer.as((panel * count + row) * prepared.stride));
    }
  });
  prepared.value = value;
  return prepared.buffer.as();
}

void integer_product(Execution& e, const ProductMatrix& w, const ProductRows& rows) {
  const size_t N = w.rows(), K = w.cols();
  const FixedPointTables& tables = fixed_point_tables(e, *w.weight, w.bits);
  const BitPlaneView view = {w.weight->planes, N, K, (K + 31) / 32, w.bits, w.weight->luts[w.bits],
                             tables.bytes.data(), tables.scales.data()};
  const ActivationPanels x = {quantize(e, rows.value), e.rows(rows.value), rows.tokens, rows.count};
  e.pool.reserve_scratch(e.kernels.bit_plane_gemm_scratch);
  const size_t grain = (PARALLEL_WORK / (rows.count * K) + ROWS) / ROWS * ROWS;
  e.pool.parallel_for(N, grain, [&](size_t begin, size_t end, int thread) {
    e.kernels.bit_plane_gemm(view, begin, end, x, rows.bias, rows.out, e.pool.scratch(thread));
  });
}

}  // namespace dpllm
