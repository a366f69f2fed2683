// Products with many vectors of integers: bit for bit those with one at a time, near those of plain C++.
#include <cmath>
#include <string>

#include "test/bit_plane_matrix.h"
#include "test/comparison.h"

namespace dpllm {

static constexpr int ACTIVATION_BITS = 8;

// Activations as panels of TILE_COLS columns, [panels, tokens].
static std::vector<uint8_t> panels_of(const Kernels& k, const std::vector<float>& x, size_t tokens) {
  const size_t cols = x.size() / tokens, panels = (cols + TILE_COLS - 1) / TILE_COLS, bytes = k.activation_bytes(TILE_COLS, ACTIVATION_BITS);
  std::vector<uint8_t> out(panels * tokens * bytes);
  for (size_t i = 0; i < panels * tokens; i++) {
    const size_t first = i / tokens * TILE_COLS, count = cols - first < TILE_COLS ? cols - first : TILE_COLS;
    k.quantize_activations(x.data() + i % tokens * cols + first, count, ACTIVATION_BITS, out.data() + i * bytes);
  }
  return out;
}

// One matrix read at `bits[t]` bits by token t, in products of all tokens of the same bits: [tokens, rows].
static std::vector<float> product_of_many(const Kernels& k, const std::vector<Matrix>& by_bits, const std::vector<float>& x, const std::vector<int>& bits,
                                          const float* bias) {
  const size_t tokens = bits.size(), rows = by_bits[0].view.rows;
  const std::vector<uint8_t> panels = panels_of(k, x, tokens);
  // On a cache line's boundary.
  std::vector<uint8_t> memory(k.bit_plane_gemm_scratch + 63);
  uint8_t* scratch = memory.data() + (64 - reinterpret_cast<uintptr_t>(memory.data()) % 64) % 64;
  std::vector<float> out(tokens * rows, NAN);
  for (int b = 1; b <= 8; b++) {
    std::vector<uint32_t> reading;
    for (size_t t = 0; t < tokens; t++) {
      if (bits[t] == b) reading.push_back(uint32_t(t));
    }
    if (reading.empty()) continue;
    const bool all = reading.size() == tokens;
    const ActivationPanels activations = {panels.data(), tokens, all ? nullptr : reading.data(), reading.size()};
    // In two pieces, as two threads might.
    const size_t cut = rows / 2;
    k.bit_plane_gemm(by_bits[b - 1].view, 0, cut, activations, bias, out.data(), scratch);
    k.bit_plane_gemm(by_bits[b - 1].view, cut, rows, activations, bias, out.data(), scratch);
  }
  return out;
}

// The same, a token at a time.
static std::vector<float> products_of_one(const Kernels& k, const std::vector<Matrix>& by_bits, const std::vector<float>& x, const std::vector<int>& bits,
                                          const float* bias) {
  const size_t tokens = bits.size(), rows = by_bits[0].view.rows, cols = by_bits[0].view.cols;
  std::vector<float> out(tokens * rows);
  std::vector<uint8_t> activations(k.activation_bytes(cols, ACTIVATION_BITS));
  for (size_t t = 0; t < tokens; t++) {
    k.quantize_activations(x.data() + t * cols, cols, ACTIVATION_BITS, activations.data());
    const uint8_t* vector = activations.data();
    float* row = out.data() + t * rows;
    k.bit_plane_gemv(by_bits[bits[t] - 1].view, 0, rows, &vector, 1, ACTIVATION_BITS, bias, &row);
  }
  return out;
}

void compare_integer_products(const Kernels& k) {
  if (k.bit_plane_gemm == nullptr) return;  // such products are made of tiles
  for (const size_t cols : {7, 32, 172, 512, 1056, 2100}) {
    const size_t rows = 37;
    std::vector<Matrix> by_bits;
    for (int b = 1; b <= 8; b++) by_bits.emplace_back(rows, cols, b);
    for (int b = 1; b < 8; b++) by_bits[b - 1].view.planes = by_bits[7].planes.data();  // nested
    const std::vector<float> bias = normal(rows);
    for (const size_t tokens : {1, 5, 17, 131}) {
      const std::vector<float> x = normal(tokens * cols);
      for (int b = 0; b <= 8; b++) {  // 0: each token its own
        std::vector<int> bits(tokens, b);
        for (int& own : bits) own = b == 0 ? 1 + int(generator() % 8) : b;
        const float* added = b % 2 ? bias.data() : nullptr;
        const std::string what = "bit_plane_gemm " + std::to_string(cols) + " bits " + std::to_string(b) + " tokens " + std::to_string(tokens);
        const std::vector<float> found = product_of_many(k, by_bits, x, bits, added);
        check_same(k.name, what, found, products_of_one(k, by_bits, x, bits, added));
        check(k.name, what, found, products_of_one(generic_kernels, by_bits, x, bits, added), 4 + std::sqrt(cols / 32.0));
      }
    }
  }
}

}  // namespace dpllm
