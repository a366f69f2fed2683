#pragma once
#include "kernels/types.h"
#include "operators/product.h"

namespace dpllm {

// Version 2 of products with up to MAX_FEW_ROWS rows x, on tensor cores (kernels/few_rows.cuh): for weights in tiles that are
// read at 3 to 8 bits each, by row or all alike. Several weights with the same number of columns, which are multiplied with
// the same x, are one launch.
struct FewRowsPart {
  BitPlanes w;
  Reading reading;  // fixed or by_row
  Dense bias;       // no data: none
  float* out;       // [rows, w.rows]
};
constexpr size_t MAX_PARTS = 4;

// Bytes of scratch for `row_tiles` of all parts together.
size_t few_rows_scratch_bytes(size_t rows, size_t cols, size_t row_tiles);

void few_rows_product(const FewRowsPart* parts, size_t count, const float* x, size_t rows, void* scratch,
                      cudaStream_t stream);

}  // namespace dpllm
