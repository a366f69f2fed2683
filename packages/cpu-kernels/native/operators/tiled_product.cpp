#include <algorithm>
#include <cstring>

#include "operators/product.h"

namespace dpllm {

// Rows of weights whose tile (48 x 512 f32, 96 KiB) and sums stay in a core's second-level cache.
static constexpr size_t TILE_ROWS = 48;
// Tokens whose sums are kept at once; a tile is made anew for each such run of tokens.
static constexpr size_t TOKENS = 512;

// x as panels, f32 [panels, places, panel]: `places` is K, or K filled up to whole words of planes. Kept for the next
// product with the same rows and kind of weights.
static const float* pack(Execution& e, const ProductMatrix& w, const ProductRows& rows, size_t places) {
  Prepared& packed = e.workspace.packed;
  const size_t K = w.cols(), panel = e.kernels.panel, panels = (rows.count + panel - 1) / panel;
  const bool bit_planes = w.weight != nullptr;
  const bool whole = rows.tokens == nullptr || rows.count == e.rows(rows.value);
  if (whole && packed.value == rows.value && packed.stride == places * 2 + bit_planes) return packed.buffer.as<float>();
  packed.buffer.reserve(panels * places * panel * sizeof(float));
  float* out = packed.buffer.as<float>();
  const float* x = e.f32(rows.value);
  const size_t tiles = (K + TILE_COLS - 1) / TILE_COLS;
  e.pool.parallel_for(panels * tiles, 1, [&](size_t begin, size_t end, int) {
    const float* row[64];
    for (size_t i = begin; i < end; i++) {
      const size_t first_token = i / tiles * panel, first = i % tiles * TILE_COLS;
      const size_t tokens = std::min(panel, rows.count - first_token);
      for (size_t t = 0; t < tokens; t++) row[t] = x + (rows.tokens ? rows.tokens[first_token + t] : first_token + t) * K;
      e.kernels.pack_panel(row, static_cast<int>(tokens), first, std::min(TILE_COLS, K - first), bit_planes,
                           out + (i / tiles * places + first) * panel);
    }
  });
  packed.value = whole ? rows.value : NONE;
  packed.stride = places * 2 + bit_planes;
  return out;
}

// The tile of rows [begin, end) and columns from `first` on; f32 weights are read where they are.
struct Tile {
  const float* data;
  size_t row_stride;
};

static Tile make_tile(Execution& e, const ProductMatrix& w, size_t begin, size_t end, size_t first, size_t cols, float* scratch) {
  if (w.weight == nullptr) {
    const size_t K = w.dense.cols, element = w.dense.type == FloatType::f32 ? 4 : 2;
    const char* data = static_cast<const char*>(w.dense.data) + (begin * K + first) * element;
    if (w.dense.type == FloatType::f32) return {reinterpret_cast<const float*>(data), K};
    for (size_t r = 0; r < end - begin; r++) e.kernels.widen(w.dense.type, data + r * K * element, scratch + r * TILE_COLS, cols);
    return {scratch, TILE_COLS};
  }
  const Weight& weight = *w.weight;
  BitPlaneView view = {weight.planes, weight.rows, weight.cols, (weight.cols + 31) / 32, w.bits, weight.luts[w.bits], nullptr, nullptr};
  for (size_t r = begin; r < end; r++) e.kernels.bit_plane_tile_row(view, r, first, cols, scratch + (r - begin) * TILE_COLS);
  if (w.minus_bits != 0) {
    view.bits = w.minus_bits;
    view.lut = weight.luts[w.minus_bits];
    float* low = scratch + TILE_ROWS * TILE_COLS;
    for (size_t r = begin; r < end; r++) {
      float* high = scratch + (r - begin) * TILE_COLS;
      e.kernels.bit_plane_tile_row(view, r, first, cols, low);
      for (size_t k = 0; k < (cols + 31) / 32 * 32; k++) high[k] -= low[k];
    }
  }
  return {scratch, TILE_COLS};
}

// One tile's rows for the panels from `first_panel` on.
static void multiply_rows(Execution& e, const ProductMatrix& w, const ProductRows& rows, const float* packed, size_t places,
                          size_t begin, size_t end, size_t first_panel, size_t panels, float* scratch) {
  const size_t K = w.cols(), N = w.rows(), panel = e.kernels.panel;
  float* tile_scratch = scratch;
  float* sums = scratch + (TILE_ROWS + 1) * TILE_COLS;  // [panels, TILE_ROWS, panel]
  std::memset(sums, 0, panels * TILE_ROWS * panel * sizeof(float));
  const auto tokens_of = [&](size_t p) { return std::min(panel, rows.count - (first_panel + p) * panel); };
  for (size_t first = 0; first < K; first += TILE_COLS) {
    const size_t cols = std::min(TILE_COLS, K - first);
    const Tile tile = make_tile(e, w, begin, end, first, cols, tile_scratch);
    for (size_t p = 0; p < panels; p++) {
      e.kernels.multiply_tile(tile.data, end - begin, tile.row_stride, 1, packed + ((first_panel + p) * places + first) * panel,
                              w.weight ? (cols + 31) / 32 * 32 : cols, static_cast<int>(tokens_of(p)),
                              sums + p * TILE_ROWS * panel);
    }
  }
  for (size_t p = 0; p < panels; p++) {
    for (size_t t = 0; t < tokens_of(p); t++) {
      const size_t place = (first_panel + p) * panel + t;
      float* out = rows.out + (rows.tokens ? rows.tokens[place] : place) * N;
      const float* column = sums + p * TILE_ROWS * panel + t;
      for (size_t r = begin; r < end; r++) out[r] = column[(r - begin) * panel] + (rows.bias ? rows.bias[r] : 0.0f);
    }
  }
}

void tiled_product(Execution& e, const ProductMatrix& w, const ProductRows& rows) {
  const size_t K = w.cols(), panel = e.kernels.panel;
  const size_t places = w.weight ? (K + 31) / 32 * 32 : K;
  const size_t panels = (rows.count + panel - 1) / panel, panels_at_once = TOKENS / panel;
  const float* packed = pack(e, w, rows, places);
  e.pool.reserve_scratch(((TILE_ROWS + 1) * TILE_COLS + TILE_ROWS * TOKENS) * sizeof(float));
  e.pool.parallel_for(w.rows(), TILE_ROWS, [&](size_t begin, size_t end, int thread) {
    float* scratch = reinterpret_cast<float*>(e.pool.scratch(thread));
    for (size_t row = begin; row < end; row += TILE_ROWS) {
      for (size_t p = 0; p < panels; p += panels_at_once) {
        multiply_rows(e, w, rows, packed, places, row, std::min(end, row + TILE_ROWS), p, std::min(panels_at_once, panels - p), scratch);
      }
    }
  });
}

void product(Execution& e, const ProductMatrix& w, const ProductRows& rows) {
  if (rows.count == 0) return;
  if (rows.count <= MAX_GEMV_TOKENS) vector_product(e, w, rows);
  else tiled_product(e, w, rows);
}

}  // namespace dpllm
