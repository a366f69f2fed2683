#pragma once
#include "program/step.h"

namespace dpllm {

// Which rows of a value a product is taken for, and where the results go: out[t] for t = tokens[0], tokens[1] ….
struct ProductRows {
  int value;               // x [rows, K]; dy [rows, N] of a transposed product
  const uint32_t* tokens;  // null: all rows
  size_t count;
  const float* bias;       // [N] or null
  float* out;              // [rows, N]; [rows, K] of a transposed product

  size_t row(size_t i) const { return tokens ? tokens[i] : i; }
};

// A matrix to multiply with: dense, or bit-planes read at `bits` bits times `factor`, plus the same weight read at
// `other_bits`, unless that is 0, times `other_factor`.
struct ProductMatrix {
  DenseView dense;  // where weight is null
  Weight* weight = nullptr;
  int bits = 0;
  float factor = 1.0f;
  int other_bits = 0;
  float other_factor = 0.0f;

  size_t rows() const { return weight ? weight->rows : dense.rows; }
  size_t cols() const { return weight ? weight->cols : dense.cols; }
};

// For up to MAX_GEMV_TOKENS rows: streams the weights once. Bit-planes in the arithmetic of the backend, read at one bit
// count times 1.
void vector_product(Execution& e, const ProductMatrix& w, const ProductRows& rows);

// For many rows of bit-planes read at one bit count times 1, in fast arithmetic: the same numbers as vector_product's.
void integer_product(Execution& e, const ProductMatrix& w, const ProductRows& rows);

// For many rows: tiles of weights as f32, exact centroids.
void tiled_product(Execution& e, const ProductMatrix& w, const ProductRows& rows);

// The one of them that suits the number of rows and the arithmetic.
void product(Execution& e, const ProductMatrix& w, const ProductRows& rows);

// out[t] = Wᵀ dy[t] from tiles of weights as f32, exact centroids; no bias.
void transposed_product(Execution& e, const ProductMatrix& w, const ProductRows& rows);

// Calls body(matrix, rows) for what a linear multiplies with what, where `weight` may be dense, or bit-planes that each row
// reads at bits[row] bits, or at the most where `bits` is NONE: rows that read the same bits together.
template <class Body>
void for_each_matrix(Execution& e, int weight, int bits, ProductRows rows, Body&& body) {
  Weight& w = e.program.weights[weight];
  if (!w.bit_planes) return body(ProductMatrix{{w.data, w.type, w.rows, w.cols}}, rows);
  if (bits == NONE) return body(ProductMatrix{{}, &w, w.max_bits}, rows);
  std::vector<uint32_t>& tokens = e.workspace.tokens;
  const size_t count = rows.count;
  for (int b = w.seed_bits; b <= w.max_bits; b++) {
    tokens.clear();
    for (size_t t = 0; t < count; t++) {
      if (e.u8(bits)[t] == b) tokens.push_back(static_cast<uint32_t>(t));
    }
    rows.tokens = tokens.data();
    rows.count = tokens.size();
    if (rows.count != 0) body(ProductMatrix{{}, &w, b}, rows);
  }
}

}  // namespace dpllm
