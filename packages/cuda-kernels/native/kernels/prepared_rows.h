#pragma once
// Rows of activations as the products of few rows take them: in the order in which fragments of the matrix instructions hold
// them, with one scale for each row and 256 columns, x = scale * v, |v| <= 32512.
//
// As bytes (kernels/byte_tables.h): v rounded to 16 bits, 256 high + low, both signed; in columns 2 m and 2 m + 1 of B for row m
// of 4. [column tile][4 rows][4][32 lanes] uint4: the words of the steps (w, r), for w < 2, r < 4, of 8 columns each, which
// are 64 t + 32 w + 4 q + r for q < 8 in lane (g, t).
// As halves: v = high + low, both f16, 22 bits, in one word, for a factor that stands in both halves of A's word; row m of 8 is
// column m of B. [column tile][8 rows][16][32 lanes] uint4: words (w, r, q) of the same columns.
#include <cuda_runtime.h>

#include "kernels/types.h"

namespace dpllm {

constexpr size_t MAX_FEW_ROWS = 16;

struct PreparedRows {
  uint4* bytes;   // may be null: not needed
  uint4* halves;  // may be null
  float* scales;  // [column tiles, MAX_FEW_ROWS]
  size_t rows, cols, col_tiles;
};

constexpr size_t BYTES_UINT4 = 4 * 32, HALVES_UINT4 = 16 * 32;  // of one column tile and group of rows
__host__ __device__ inline size_t byte_groups(size_t rows) { return (rows + 3) / 4; }
__host__ __device__ inline size_t half_groups(size_t rows) { return (rows + 7) / 8; }

// Bytes of device memory that `rows` rows take in both forms.
size_t prepared_bytes(size_t rows, size_t cols);

// Lays them out in memory of that size.
PreparedRows place_prepared(void* memory, size_t rows, size_t cols, bool bytes, bool halves);

// Fills them from x f32 [rows, cols], and sets `zeros` u32 [zero_count] to zero.
void prepare_rows(const float* x, const PreparedRows& prepared, uint32_t* zeros, size_t zero_count, cudaStream_t stream);

}  // namespace dpllm
