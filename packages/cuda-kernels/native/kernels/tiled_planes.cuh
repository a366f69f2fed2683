#pragma once
// The layout of planes on the device (docs/decisions/0012-planes-in-tiles-on-the-gpu.md).
//
// A tile is 16 rows x 256 columns. In a warp that reads it, lane l (g = l / 4, t = l % 4) has the columns 64 t .. 64 t + 63 of
// the rows g and g + 8: of every plane 4 words, {row g: 2, row g + 8: 2}, which it loads as one uint4; those of a warp follow
// each other. Rows and columns beyond the weight's are padding.
//
// The first three planes, which every reading needs, are one array [row tile][column tile][3][lane], transposed already: with
// q = j / 4 and r = j % 4 of column j of a word, the 3-bit code of a column with r < 3 is bits 0 .. 2 of nibble q of word r;
// that of one with r = 3 is spread over bit 3 of nibble q of the words 0, 1, 2. So a nibble is what prmt takes as a selector,
// after one AND. Every further plane is an array [row tile][column tile][lane] of its own with the columns in their order and
// all bits inverted; those that are not needed are not read.
#include "kernels/instructions.cuh"
#include "kernels/types.h"

namespace dpllm {

constexpr int TILE_ROWS = 16, TILE_COLS = 256, BASE_PLANES = 3;
constexpr size_t TILE_WORDS = TILE_ROWS * TILE_COLS / 32;  // of one plane

__host__ __device__ __forceinline__ size_t plane_words(const BitPlanes& w) { return w.row_tiles * w.col_tiles * TILE_WORDS; }

// Where the words of a plane's tile are; base planes: of plane 0, with the others TILE_WORDS behind each other.
__device__ __forceinline__ const uint32_t* base_tile(const BitPlanes& w, size_t row_tile, size_t col_tile) {
  return w.planes + (row_tile * w.col_tiles + col_tile) * (BASE_PLANES * TILE_WORDS);
}
__device__ __forceinline__ const uint32_t* upper_tile(const BitPlanes& w, int plane, size_t row_tile, size_t col_tile) {
  return w.planes + plane * plane_words(w) + (row_tile * w.col_tiles + col_tile) * TILE_WORDS;
}

// Place of word `word` of row n within its tile's plane.
__device__ __forceinline__ size_t place_in_tile(size_t n, size_t word) {
  const size_t lane = n % 8 * 4 + word % 8 / 2;
  return lane * 4 + n / 8 % 2 * 2 + word % 2;
}

// The 3-bit codes of the columns 4 q + R, in bits 0 .. 2 of nibble q; bit 3 is anything.
template <int R>
__device__ __forceinline__ uint32_t cells(uint32_t w0, uint32_t w1, uint32_t w2) {
  if (R == 0) return w0;
  if (R == 1) return w1;
  if (R == 2) return w2;
  return choose(choose(w0 >> 3, w1 >> 2, 0x11111111u), w2 >> 1, 0x33333333u);
}

// Word `word` of row n of a plane as it is in the canonical layout.
__device__ __forceinline__ uint32_t plane_word(const BitPlanes& w, int plane, size_t n, size_t word) {
  if (!w.tiled) return w.planes[(plane * w.rows + n) * w.words + word];
  const size_t row_tile = n / TILE_ROWS, col_tile = word / 8, at = place_in_tile(n, word);
  if (plane >= BASE_PLANES) return ~upper_tile(w, plane, row_tile, col_tile)[at];
  const uint32_t* base = base_tile(w, row_tile, col_tile) + at;
  const int bit = 2 - plane;
  uint32_t result = (base[bit * TILE_WORDS] >> 3 & 0x11111111u) << 3;
  for (int r = 0; r < 3; r++) result |= (base[r * TILE_WORDS] >> bit & 0x11111111u) << r;
  return result;
}

}  // namespace dpllm
