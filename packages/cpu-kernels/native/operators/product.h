#pragma once
#include "program/step.h"

namespace dpllm {

// Which rows of a value a product is taken for, and where the results go: out[t] for t = tokens[0], tokens[1] ….
struct ProductRows {
  int value;               // x [rows, K]
  const uint32_t* tokens;  // null: all rows
  size_t count;
  const float* bias;       // [N] or null
  float* out;              // [rows, N]
};

// A matrix to multiply with: dense, or bit-planes read at `bits` bits, less the same read at `minus_bits` if not 0.
struct ProductMatrix {
  DenseView dense;     // where weight is null
  Weight* weight = nullptr;
  int bits = 0;
  int minus_bits = 0;

  size_t rows() const { return weight ? weight->rows : dense.rows; }
  size_t cols() const { return weight ? weight->cols : dense.cols; }
};

// For up to MAX_GEMV_TOKENS rows: streams the weights once. Bit-planes in the arithmetic of the backend.
void vector_product(Execution& e, const ProductMatrix& w, const ProductRows& rows);

// For many rows: tiles of weights as f32, exact centroids.
void tiled_product(Execution& e, const ProductMatrix& w, const ProductRows& rows);

// The one that suits the number of rows.
void product(Execution& e, const ProductMatrix& w, const ProductRows& rows);

}  // namespace dpllm
