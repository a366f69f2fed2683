#pragma once
#include <cuda_runtime.h>

#include "kernels/types.h"

namespace dpllm {

// Bytes of a weight's planes in tiles (kernels/tiled_planes.cuh).
inline size_t tiled_plane_bytes(const BitPlanes& w) { return w.max_bits * w.row_tiles * w.col_tiles * 512; }

// Fills the tiles of w, whose planes are writable, from canonical planes u32 [max_bits, rows, words] in device memory.
void tile_planes(const uint32_t* canonical, const BitPlanes& w, cudaStream_t stream);

}  // namespace dpllm
