#include "device/launch.h"
#include "kernels/bit_planes.cuh"
#include "operators/operators.h"
#include "operators/product.h"

namespace dpllm {

// Columns that a block of as many threads takes at once.
static constexpr unsigned TABLE_COLUMNS = 256;

// A block for each row n and bit count: every thread sums the gradient of its column over the rows t that read that bit
// count, then every table entry sums the columns of its code. No atomics: the order is always the same.
__global__ void accumulate_tables_kernel(BitPlanes w, Reading reading, const float* x, const float* dy, size_t rows,
                                         size_t entries, float* into) {
  __shared__ float gradients[TABLE_COLUMNS];
  __shared__ uint8_t codes[TABLE_COLUMNS];
  const size_t n = blockIdx.x;
  const int bits = w.seed_bits + static_cast<int>(blockIdx.y);
  float sum = 0.0f;  // of table entry threadIdx.x
  for (size_t first = 0; first < w.cols; first += TABLE_COLUMNS) {
    const size_t k = first + threadIdx.x;
    __syncthreads();  // the columns before have been read
    if (k < w.cols) {
      float gradient = 0.0f;
      for (size_t t = 0; t < rows; t++) {
        if (mix_of(reading, w, t).high == bits) gradient += dy[t * w.rows + n] * x[t * w.cols + k];
      }
      gradients[threadIdx.x] = gradient;
      codes[threadIdx.x] = static_cast<uint8_t>(code_at(w, bits, n, k));
    }
    __syncthreads();
    const unsigned columns = static_cast<unsigned>(w.cols - first < TABLE_COLUMNS ? w.cols - first : TABLE_COLUMNS);
    if (threadIdx.x >> bits != 0) continue;
    for (unsigned i = 0; i < columns; i++) {
      if (codes[i] == threadIdx.x) sum += gradients[i];
    }
  }
  if (threadIdx.x >> bits == 0) into[n * entries + (size_t{1} << bits) - (size_t{1} << w.seed_bits) + threadIdx.x] += sum;
}

void run(const AccumulateTables& op, Execution& e) {
  const Weight& weight = e.program.weights[op.weight];
  const BitPlanes& w = weight.planes();
  const Accumulator& into = e.program.accumulators[op.into];
  const dim3 grid(static_cast<unsigned>(w.rows), static_cast<unsigned>(w.max_bits - w.seed_bits + 1));
  launch("accumulate_tables", accumulate_tables_kernel, grid, TABLE_COLUMNS, 0, e.stream, w, reading_of(e, weight, op.bits),
         e.f32(op.x), e.f32(op.dy), e.rows(op.x), into.cols, into.data.as<float>());
}

}  // namespace dpllm
