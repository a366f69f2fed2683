#include "kernels/tile_planes.h"

#include "device/launch.h"
#include "kernels/tiled_planes.cuh"

namespace dpllm {

// One thread for each word of a tile's plane; it moves that word of every plane.
__global__ void tile_planes_kernel(const uint32_t* canonical, BitPlanes w) {
  const size_t tile = blockIdx.x, row_tile = tile / w.col_tiles, col_tile = tile % w.col_tiles;
  const unsigned at = threadIdx.x, lane = at / 4, i = at % 4;
  const size_t n = row_tile * TILE_ROWS + lane / 4 + i / 2 * 8, word = col_tile * 8 + lane % 4 * 2 + i % 2;
  const bool inside = n < w.rows && word < w.words;
  const auto load = [&](int plane) { return inside ? canonical[(plane * w.rows + n) * w.words + word] : 0u; };
  uint32_t base[BASE_PLANES] = {0, 0, 0};
  for (int plane = 0; plane < BASE_PLANES; plane++) {
    const uint32_t bits = load(plane);
    const int bit = 2 - plane;
    for (int r = 0; r < 3; r++) base[r] |= (bits >> r & 0x11111111u) << bit;
    base[bit] |= (bits >> 3 & 0x11111111u) << 3;
  }
  uint32_t* to = const_cast<uint32_t*>(base_tile(w, row_tile, col_tile)) + at;
  for (int r = 0; r < BASE_PLANES; r++) to[r * TILE_WORDS] = base[r];
  for (int plane = BASE_PLANES; plane < w.max_bits; plane++)
    const_cast<uint32_t*>(upper_tile(w, plane, row_tile, col_tile))[at] = ~load(plane);
}

void tile_planes(const uint32_t* canonical, const BitPlanes& w, cudaStream_t stream) {
  launch("tile_planes", tile_planes_kernel, static_cast<unsigned>(w.row_tiles * w.col_tiles), TILE_WORDS, 0, stream, canonical,
         w);
}

}  // namespace dpllm
