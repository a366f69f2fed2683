#include <algorithm>
#include <cstring>

#include "operators/packed_rows.h"
#include "operators/weight_tile.h"

namespace dpllm {

// Rows of weights of one tile (64 x 512 f32, 128 KiB): the tile's columns are the product's rows, its rows are summed over.
static constexpr size_t TILE_ROWS = 64;
// Rows of dy whose sums are kept at once (512 x 256 f32, 512 KiB); a tile is made anew for each such run of rows.
static constexpr size_t MAX_ROWS = 256;
// Pieces of work for each thread, so that all end at about the same time.
static constexpr size_t PIECES = 4;

// Columns [first, first + cols) of the results of the panels from `first_panel` on; sums are over weight rows in order.
static void multiply_columns(Execution& e, const ProductMatrix& w, const ProductRows& rows, const float* packed, size_t first,
                             size_t cols, size_t first_panel, size_t panels, float* scratch) {
  const bool bit_planes = w.weight != nullptr;
  const size_t K = w.cols(), N = w.rows(), panel = e.kernels.panel;
  float* sums = scratch + (TILE_ROWS + 1) * TILE_STRIDE;  // [panels, TILE_COLS, panel]
  std::memset(sums, 0, panels * TILE_COLS * panel * sizeof(float));
  const auto count_of = [&](size_t p) { return static_cast<int>(std::min(panel, rows.count - (first_panel + p) * panel)); };
  for (size_t begin = 0; begin < N; begin += TILE_ROWS) {
    const size_t end = std::min(N, begin + TILE_ROWS);
    const WeightTile tile = make_tile(e, w, begin, end, first, cols, scratch);
    for (size_t p = 0; p < panels; p++) {
      e.kernels.multiply_tile(tile.data, places_of(cols, bit_planes), 1, tile.stride, packed + ((first_panel + p) * N + begin) * panel,
                              end - begin, count_of(p), sums + p * TILE_COLS * panel);
    }
  }
  float* out[MAX_ROWS];
  for (size_t p = 0; p < panels; p++) {
    for (int i = 0; i < count_of(p); i++) out[i] = rows.out + rows.row((first_panel + p) * panel + i) * K;
    e.kernels.unpack_panel(sums + p * TILE_COLS * panel, count_of(p), first, cols, bit_planes, out);
  }
}

void transposed_product(Execution& e, const ProductMatrix& w, const ProductRows& rows) {
  if (rows.count == 0) return;
  const size_t K = w.cols(), panel = e.kernels.panel;
  const size_t panels = (rows.count + panel - 1) / panel, tiles = (K + TILE_COLS - 1) / TILE_COLS;
  const size_t fair = panels * tiles / (PIECES * e.pool.size());
  const size_t at_once = std::min(std::max(fair, size_t{2}), MAX_ROWS / panel), runs = (panels + at_once - 1) / at_once;
  const float* packed = pack_rows(e, rows, false);
  e.pool.reserve_scratch(((TILE_ROWS + 1) * TILE_STRIDE + TILE_COLS * at_once * panel) * sizeof(float));
  e.pool.parallel_for(tiles * runs, 1, [&](size_t begin, size_t end, int thread) {
    float* scratch = reinterpret_cast<float*>(e.pool.scratch(thread));
    for (size_t i = begin; i < end; i++) {
      const size_t first = i / runs * TILE_COLS, first_panel = i % runs * at_once;
      multiply_columns(e, w, rows, packed, first, std::min(TILE_COLS, K - first), first_panel, std::min(at_once, panels - first_panel),
                       scratch);
    }
  });
}

}  // namespace dpllm
