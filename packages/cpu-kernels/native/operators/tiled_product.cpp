#include <algorithm>
#include <cstring>

#include "operators/packed_rows.h"
#include "operators/weight_tile.h"

namespace dpllm {

// Rows of weights whose tile (48 x 512 f32, 96 KiB) and sums stay in a core's second-level cache.
static constexpr size_t TILE_ROWS = 48;
// Tokens whose sums are kept at once; a tile is made anew for each such run of tokens.
static constexpr size_t TOKENS = 512;

// One tile's rows for the panels from `first_panel` on.
static void multiply_rows(Execution& e, const ProductMatrix& w, const ProductRows& rows, const float* packed, size_t begin, size_t end,
                          size_t first_panel, size_t panels, float* scratch) {
  const bool bit_planes = w.weight != nullptr;
  const size_t K = w.cols(), N = w.rows(), panel = e.kernels.panel, places = places_of(K, bit_planes);
  float* sums = scratch + (TILE_ROWS + 1) * TILE_STRIDE;  // [panels, TILE_ROWS, panel]
  std::memset(sums, 0, panels * TILE_ROWS * panel * sizeof(float));
  const auto tokens_of = [&](size_t p) { return std::min(panel, rows.count - (first_panel + p) * panel); };
  for (size_t first = 0; first < K; first += TILE_COLS) {
    const size_t cols = std::min(TILE_COLS, K - first);
    const WeightTile tile = make_tile(e, w, begin, end, first, cols, scratch);
    for (size_t p = 0; p < panels; p++) {
      e.kernels.multiply_tile(tile.data, end - begin, tile.stride, 1, packed + ((first_panel + p) * places + first) * panel,
                              places_of(cols, bit_planes), static_cast<int>(tokens_of(p)), sums + p * TILE_ROWS * panel);
    }
  }
  for (size_t p = 0; p < panels; p++) {
    for (size_t t = 0; t < tokens_of(p); t++) {
      float* out = rows.out + rows.row((first_panel + p) * panel + t) * N;
      const float* column = sums + p * TILE_ROWS * panel + t;
      for (size_t r = begin; r < end; r++) out[r] = column[(r - begin) * panel] + (rows.bias ? rows.bias[r] : 0.0f);
    }
  }
}

void tiled_product(Execution& e, const ProductMatrix& w, const ProductRows& rows) {
  const size_t panel = e.kernels.panel;
  const size_t panels = (rows.count + panel - 1) / panel, panels_at_once = TOKENS / panel;
  const float* packed = pack_rows(e, rows, w.weight != nullptr);
  e.pool.reserve_scratch(((TILE_ROWS + 1) * TILE_STRIDE + TILE_ROWS * TOKENS) * sizeof(float));
  e.pool.parallel_for(w.rows(), TILE_ROWS, [&](size_t begin, size_t end, int thread) {
    float* scratch = reinterpret_cast<float*>(e.pool.scratch(thread));
    for (size_t row = begin; row < end; row += TILE_ROWS) {
      for (size_t p = 0; p < panels; p += panels_at_once) {
        multiply_rows(e, w, rows, packed, row, std::min(end, row + TILE_ROWS), p, std::min(panels_at_once, panels - p), scratch);
      }
    }
  });
}

}  // namespace dpllm
