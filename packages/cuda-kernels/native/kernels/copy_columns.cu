#include "kernels/copy_columns.h"

#include "device/launch.h"

namespace dpllm {

__global__ void copy_columns_kernel(Columns from, Columns to, size_t width, size_t n) {
  const size_t i = static_cast<size_t>(blockIdx.x) * blockDim.x + threadIdx.x;
  if (i >= n) return;
  const size_t row = i / width, col = i % width;
  to.data[row * to.stride + to.first + col] = from.data[row * from.stride + from.first + col];
}

void copy_columns(Columns from, Columns to, size_t width, size_t rows, cudaStream_t stream) {
  constexpr unsigned threads = 256;
  const size_t n = width * rows;
  launch("copy_columns", copy_columns_kernel, blocks_for(n, threads), threads, 0, stream, from, to, width, n);
}

}  // namespace dpllm
