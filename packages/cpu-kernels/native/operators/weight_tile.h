#pragma once
#include "operators/product.h"

namespace dpllm {

// Floats from one row of a tile to the next in scratch memory: not a power of two, so that lines of the same column do not
// compete for the same places of a cache.
constexpr size_t TILE_STRIDE = TILE_COLS + 16;

// f32 weights of some rows and columns.
struct WeightTile {
  const float* data;
  size_t stride;  // from row to row
};

// Rows [begin, end) and `cols` columns from `first` on, a multiple of TILE_COLS. f32 weights are read where they are, others
// widened to `scratch`, [end - begin + 1, TILE_STRIDE]; bit-planes in the order of tiles of theirs.
WeightTile make_tile(Execution& e, const ProductMatrix& w, size_t begin, size_t end, size_t first, size_t cols, float* scratch);

}  // namespace dpllm
