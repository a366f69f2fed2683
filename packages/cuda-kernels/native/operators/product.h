#pragma once
#include "program/step.h"

namespace dpllm {

// out[t] = W x[t] + bias for `rows` rows of x [rows, K] -> out [rows, N]; bias has no data where there is none.
void product(const Dense& w, const float* x, size_t rows, const Dense& bias, float* out, cudaStream_t stream);
void product(const BitPlanes& w, const Reading& reading, const float* x, size_t rows, const Dense& bias, float* out,
             cudaStream_t stream);

// With scratch of product_scratch_bytes(), the versions that need some may run, too.
void product(const BitPlanes& w, const Reading& reading, const float* x, size_t rows, const Dense& bias, float* out,
             void* scratch, cudaStream_t stream);
size_t product_scratch_bytes(const BitPlanes& w, size_t rows);

// out[t] = W^T dy[t] for `rows` rows of dy [rows, N] -> out [rows, K].
void transposed_product(const Dense& w, const float* dy, size_t rows, float* out, cudaStream_t stream);
void transposed_product(const BitPlanes& w, const Reading& reading, const float* dy, size_t rows, float* out,
                        cudaStream_t stream);

// The versions of all of these; product.cpp chooses among them.
// 1: plain, any weight and reading.
void plain_product(const Dense& w, const float* x, size_t rows, const Dense& bias, float* out, cudaStream_t stream);
void plain_transposed_product(const Dense& w, const float* dy, size_t rows, float* out, cudaStream_t stream);
void plain_product(const BitPlanes& w, const Reading& reading, const float* x, size_t rows, const Dense& bias, float* out,
                   cudaStream_t stream);
void plain_transposed_product(const BitPlanes& w, const Reading& reading, const float* dy, size_t rows, float* out,
                              cudaStream_t stream);
// 2, of few rows: few_rows_product.h. 3, of many rows, on tensor cores (kernels/gemm.cuh): with f16 activations, of planes in
// tiles that are read at 3 to 8 bits (scratch: half_product_scratch_bytes()); and with f32 activations, of anything.
size_t half_product_scratch_bytes(size_t rows);
size_t half_product_shared_bytes(int bits);
void half_product(const BitPlanes& w, const Reading& reading, const float* x, size_t rows, const Dense& bias, float* out,
                  void* scratch, cudaStream_t stream);
size_t split_product_shared_bytes(int bits);
void split_product(const BitPlanes& w, const Reading& reading, const float* x, size_t rows, const Dense& bias, float* out,
                   cudaStream_t stream);
void split_transposed_product(const BitPlanes& w, const Reading& reading, const float* dy, size_t rows, float* out,
                              cudaStream_t stream);
void split_product(const Dense& w, const float* x, size_t rows, const Dense& bias, float* out, cudaStream_t stream);
void split_transposed_product(const Dense& w, const float* dy, size_t rows, float* out, cudaStream_t stream);

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
