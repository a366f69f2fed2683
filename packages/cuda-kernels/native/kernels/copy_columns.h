#pragma once
#include <cuda_runtime.h>

#include <cstddef>

namespace dpllm {

// Part of the columns of a row-major f32 matrix.
struct Columns {
  float* data;
  size_t stride, first;
};

// to[row, first + i] = from[row, first + i] for i < width, each with its own first column.
void copy_columns(Columns from, Columns to, size_t width, size_t rows, cudaStream_t stream);

}  // namespace dpllm
