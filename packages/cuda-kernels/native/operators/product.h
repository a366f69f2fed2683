#pragma once
#include "program/step.h"

namespace dpllm {

// out[t] = W x[t] + bias for `rows` rows of x [rows, K] -> out [rows, N]; bias has no data where there is none.
void product(const Dense& w, const float* x, size_t rows, const Dense& bias, float* out, cudaStream_t stream);
void product(const BitPlanes& w, const Reading& reading, const float* x, size_t rows, const Dense& bias, float* out,
             cudaStream_t stream);

// out[t] = W^T dy[t] for `rows` rows of dy [rows, N] -> out [rows, K].
void transposed_product(const Dense& w, const float* dy, size_t rows, float* out, cudaStream_t stream);
void transposed_product(const BitPlanes& w, const Reading& reading, const float* dy, size_t rows, float* out,
                        cudaStream_t stream);

// How a linear reads bit-planes: at the bits of a value, or at the most that are loaded where there is none.
inline Reading reading_of(const Execution& e, const Weight& w, int bits) {
  if (bits == NONE) return {Reading::Kind::fixed, 0, w.max_bits(), nullptr, nullptr};
  return {Reading::Kind::by_row, 0, 0, e.u8(bits), nullptr};
}
inline Reading average_reading(const Execution& e, int average_bits) {
  return {Reading::Kind::average, 0, 0, nullptr, e.f32(average_bits)};
}
inline Reading difference_reading(int low, int high) { return {Reading::Kind::difference, low, high, nullptr, nullptr}; }
inline Dense bias_of(const Execution& e, int bias) { return bias == NONE ? Dense{} : e.program.weights[bias].dense(); }

// Rows of a matrix that one block multiplies with one row of x, each by one warp. Rows of x are along grid.x, so that
// blocks that read the same part of the matrix run at the same time.
constexpr unsigned PRODUCT_WARPS = 8;
inline dim3 product_grid(size_t rows, size_t N) {
  return dim3(static_cast<unsigned>(rows), static_cast<unsigned>((N + PRODUCT_WARPS - 1) / PRODUCT_WARPS));
}

}  // namespace dpllm
