// Products with up to MAX_GEMV_TOKENS vectors.
#include <cmath>
#include <string>

#include "test/bit_plane_matrix.h"
#include "test/comparison.h"

namespace dpllm {

constexpr size_t TOKENS = MAX_GEMV_TOKENS;

// Integer activations of TOKENS vectors as one instruction set reads them.
struct Activations {
  std::vector<uint8_t> data[TOKENS];
  const uint8_t* pointers[TOKENS];

  Activations(const Kernels& k, const std::vector<float>& x, int bits) {
    const size_t cols = x.size() / TOKENS;
    for (size_t t = 0; t < TOKENS; t++) {
      data[t].resize(k.activation_bytes(cols, bits));
      k.quantize_activations(x.data() + t * cols, cols, bits, data[t].data());
      pointers[t] = data[t].data();
    }
  }
};

// Results of the first `count` vectors [count, rows] for rows begin .. end - 1, 0 for the others.
static std::vector<float> gemv(const Kernels& k, const Matrix& m, const Activations& x, int bits, int first, int count, size_t begin, size_t end,
                               const float* bias) {
  std::vector<float> out(count * m.view.rows);
  float* rows[TOKENS];
  for (int t = 0; t < count; t++) rows[t] = out.data() + t * m.view.rows;
  k.bit_plane_gemv(m.view, begin, end, x.pointers + first, count, bits, bias, rows);
  return out;
}

void compare_products(const Kernels& k) {
  const Kernels& plain = generic_kernels;
  for (const size_t cols : {7, 32, 172, 288, 512, 1056, 2100}) {
    const size_t rows = 13;
    const std::vector<float> x = normal(TOKENS * cols), bias = normal(rows), weights = normal(rows * cols);
    const DenseView w = {weights.data(), FloatType::f32, rows, cols};
    for (int count = 1; count <= int(TOKENS); count++) {
      std::vector<float> a(count * rows), b(count * rows);
      const float* vectors[TOKENS];
      float *out_a[TOKENS], *out_b[TOKENS];
      for (int t = 0; t < count; t++) vectors[t] = x.data() + t * cols, out_a[t] = a.data() + t * rows, out_b[t] = b.data() + t * rows;
      k.dense_gemv(w, 0, rows, vectors, count, bias.data(), out_a), plain.dense_gemv(w, 0, rows, vectors, count, bias.data(), out_b);
      check(k.name, "dense_gemv " + std::to_string(cols), a, b, 2 + std::sqrt(cols));
    }
    for (const int activation_bits : {8, 16}) {
      const Activations qa(k, x, activation_bits), qb(plain, x, activation_bits);
      for (int bits = 1; bits <= 8; bits++) {
        const Matrix m(rows, cols, bits, activation_bits);
        const std::string what = "bit_plane_gemv " + std::to_string(cols) + " bits " + std::to_string(bits) + " x " + std::to_string(activation_bits);
        for (int count = 1; count <= int(TOKENS); count++) {
          // Group sums are the same integers: only their f32 sum differs.
          check(k.name, what, gemv(k, m, qa, activation_bits, 0, count, 1, rows, nullptr), gemv(plain, m, qb, activation_bits, 0, count, 1, rows, nullptr),
                4 + std::sqrt(cols / 32.0));
        }
      }
    }
  }
}

// What a row's product must be near, in double.
static float exact_product(const Matrix& m, size_t row, const float* x) {
  const BitPlaneView& w = m.view;
  const uint8_t* table = w.tables + (row << (w.bits + 1));
  double sum = 0;
  for (size_t c = 0; c < w.cols; c++) {
    size_t code = 0;
    for (int p = 0; p < w.bits; p++) code = code * 2 + (w.planes[(p * w.rows + row) * w.words + c / 32] >> c % 32 & 1);
    sum += (256.0 * table[code] + table[(size_t{1} << w.bits) + code] - 32768.0) * x[c];
  }
  return float(w.scales[row] * sum);
}

// So many columns that 16-bit activations are larger than a first-level cache holds: results must not depend on the number of
// vectors, nor on where the rows are cut.
void compare_wide_products(const Kernels& k) {
  const size_t rows = 37, cols = 14336 + 40;
  const int activation_bits = 16;
  const std::vector<float> x = normal(TOKENS * cols), bias = normal(rows);
  const Activations activations(k, x, activation_bits);
  for (const int bits : {1, 3, 5, 8}) {
    const std::string what = "bit_plane_gemv of many columns, bits " + std::to_string(bits);
    const Matrix m(rows, cols, bits, activation_bits);
    const std::vector<float> all = gemv(k, m, activations, activation_bits, 0, TOKENS, 0, rows, nullptr);
    std::vector<float> exact;
    for (size_t t = 0; t < TOKENS; t++) {
      for (size_t row = 0; row < rows; row++) exact.push_back(exact_product(m, row, x.data() + t * cols));
    }
    // Activations are rounded by at most 2^-16 of their group's largest, some 2.5 times their mean size.
    check(k.name, what, all, exact, 2.5 * 0x1p8);
    for (int t = 0; t < int(TOKENS); t++) {
      const std::vector<float> wanted(all.begin() + t * rows, all.begin() + (t + 1) * rows);
      check_same(k.name, what + ", one vector", gemv(k, m, activations, activation_bits, t, 1, 0, rows, nullptr), wanted);
      std::vector<float> pieces(rows);
      for (const auto& [begin, end] : {std::pair<size_t, size_t>{0, 5}, {5, 6}, {6, 22}, {22, rows}}) {
        const std::vector<float> piece = gemv(k, m, activations, activation_bits, t, 1, begin, end, nullptr);
        for (size_t row = begin; row < end; row++) pieces[row] = piece[row];
      }
      check_same(k.name, what + ", rows in pieces", pieces, wanted);
    }
  }
}

}  // namespace dpllm
