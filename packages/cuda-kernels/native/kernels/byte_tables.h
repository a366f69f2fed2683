#pragma once
// Centroids of 3 and 4 bits as bytes, that prmt looks up in registers and the int8 matrix instructions add up.
//
// 3 bits: C[c] = y Y[c], Y of 16 bits as two signed bytes, Y = 256 high + low.
// 4 bits: C[2 c + i] = y Y[c] + i x X[c], X >= 0, which takes ascending centroids, of 14 bits as two times 7: 128 high + low.
// prmt gives 0 for such an entry where bit 3 of the selector is set, so that the bit i needs no instruction of its own.
//
// bytes u8 [row tile][table][16 rows][8], the tables Y high, Y low, X high, X low; scales f32 [row tile][16 rows][2]: y, x.
#include <cuda_runtime.h>

#include "kernels/types.h"

namespace dpllm {

constexpr int BYTE_TABLE_BITS = 4;  // the most bits that have such tables
constexpr int byte_tables_of(int bits) { return bits == 3 ? 2 : 4; }
inline size_t byte_table_bytes(int bits, size_t row_tiles) { return row_tiles * byte_tables_of(bits) * 16 * 8; }
inline size_t byte_scale_bytes(size_t row_tiles) { return row_tiles * 16 * 2 * sizeof(float); }

// Fills w.byte_tables[bits - 3] from w.luts[bits].
void make_byte_tables(const BitPlanes& w, int bits, cudaStream_t stream);

// Whether the centroids of f16 [rows, 2^bits] on the host can be looked up so.
bool fits_byte_tables(const uint16_t* luts, size_t rows, int bits);

}  // namespace dpllm
