#pragma once
#include <cstring>

#include "operators/product.h"

namespace dpllm {

// One tile of G = dyᵀ x, as panels [cols / panel, GRADIENT_ROWS, panel]: rows of the weight from `row` on, columns from `col`
// on, a multiple of TILE_COLS.
struct GradientTile {
  const float* data;
  size_t row, rows, col, cols;
};

// Calls body(tile) for all tiles of G = Σ dy[t] x[t]ᵀ over `count` rows t of x [T, K] and dy [T, N], all of them where
// `tokens` is null. One thread makes all tiles of a row, from the first column to the last.
template <class Body>
void weight_gradient(Execution& e, int x, int dy, const uint32_t* tokens, size_t count, Body&& body);

// x as panels of columns, f32 [K / panel, count, panel], filled up with zeros. Kept for the next gradient of the same rows.
const float* pack_columns(Execution& e, const ProductRows& x);

// dy of `rows` columns from `row` on as f32 [count, GRADIENT_ROWS].
void gather_columns(const Execution& e, const ProductRows& dy, size_t row, size_t rows, float* out);

template <class Body>
void weight_gradient(Execution& e, int x, int dy, const uint32_t* tokens, size_t count, Body&& body) {
  if (count == 0) return;
  const size_t N = e.width(dy), K = e.width(x), panel = e.kernels.panel;
  const ProductRows dy_rows = {dy, tokens, count, nullptr, nullptr};
  const float* packed = pack_columns(e, {x, tokens, count, nullptr, nullptr});
  const size_t gathered = count * GRADIENT_ROWS;
  e.pool.reserve_scratch((gathered + GRADIENT_ROWS * TILE_COLS) * sizeof(float));
  e.pool.parallel_for(N, GRADIENT_ROWS, [&](size_t begin, size_t end, int thread) {
    float* factors = reinterpret_cast<float*>(e.pool.scratch(thread));
    float* tile = factors + gathered;
    for (size_t row = begin; row < end; row += GRADIENT_ROWS) {
      const size_t rows = end - row < GRADIENT_ROWS ? end - row : GRADIENT_ROWS;
      gather_columns(e, dy_rows, row, rows, factors);
      for (size_t col = 0; col < K; col += TILE_COLS) {
        const size_t cols = K - col < TILE_COLS ? K - col : TILE_COLS;
        std::memset(tile, 0, GRADIENT_ROWS * TILE_COLS * sizeof(float));
        for (size_t at = 0; at < cols; at += panel) {
          e.kernels.multiply_tile(factors, rows, 1, GRADIENT_ROWS, packed + (col + at) * count, count,
                                  static_cast<int>(cols - at < panel ? cols - at : panel), tile + at * GRADIENT_ROWS);
        }
        body(GradientTile{tile, row, rows, col, cols});
      }
    }
  });
}

}  // namespace dpllm
