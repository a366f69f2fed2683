// Compares every instruction set of this build and machine with the plain C++ kernels, function by function. The addon's
// tests do the same through whole programs; this one runs where Node does not, under an emulator for instance:
//
//   aarch64-linux-gnu-g++ -std=c++17 -O2 -static -ffp-contract=fast -fno-math-errno -fno-trapping-math -DDPLLM_NEON
//     -I native native/test/compar*.cpp native/kernels/select.cpp native/kernels/{generic,neon}/kernels.cpp
//   qemu-aarch64 ./a.out
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <vector>

#include "kernels/select.h"
#include "test/bit_plane_matrix.h"
#include "test/comparison.h"

using namespace dpllm;

static void compare_elementwise(const Kernels& k) {
  const Kernels& plain = generic_kernels;
  for (const size_t n : {1, 7, 16, 63, 173, 512}) {
    const std::string size = " " + std::to_string(n);
    const std::vector<float> a = normal(n, 3), b = normal(n);
    std::vector<float> x(n), y(n);
    k.add(a.data(), b.data(), x.data(), n), plain.add(a.data(), b.data(), y.data(), n);
    check(k.name, "add" + size, x, y, 0);
    for (const Activation activation : {Activation::silu, Activation::gelu, Activation::gelu_tanh}) {
      k.gate(activation, a.data(), b.data(), x.data(), n), plain.gate(activation, a.data(), b.data(), y.data(), n);
      check(k.name, "gate" + size, x, y, 8);
    }
    k.rms_norm(a.data(), b.data(), 1e-5f, x.data(), n), plain.rms_norm(a.data(), b.data(), 1e-5f, y.data(), n);
    check(k.name, "rms_norm" + size, x, y, 8 + std::sqrt(n));
    const float max = plain.max(a.data(), n);
    check(k.name, "max" + size, {k.max(a.data(), n)}, {max}, 0);
    check(k.name, "sum_exp" + size, {float(k.sum_exp(a.data(), max, n))}, {float(plain.sum_exp(a.data(), max, n))}, 4);
    std::vector<uint16_t> h(n), g(n);
    std::vector<float> wide = a;
    if (n > 7) wide[0] = 1e-7f, wide[1] = 1e6f, wide[2] = -INFINITY, wide[3] = 6e-5f, wide[4] = 65519.0f, wide[5] = 0x1.0p-25f;
    k.narrow_f16(wide.data(), h.data(), n), plain.narrow_f16(wide.data(), g.data(), n);
    if (h != g) failures++, std::printf("%s narrow_f16%s differs\n", k.name, size.c_str());
    h.back() = 0x0001, g.back() = 0x0001;  // smallest subnormal
    for (const FloatType type : {FloatType::f16, FloatType::bf16}) {
      k.widen(type, h.data(), x.data(), n), plain.widen(type, h.data(), y.data(), n);
      if (std::memcmp(x.data(), y.data(), n * 4) != 0) failures++, std::printf("%s widen%s differs\n", k.name, size.c_str());
    }
    if (n >= 16) {
      const std::vector<float> cos = normal(n / 4), sin = normal(n / 4);
      x = y = a;
      k.rope(a.data(), cos.data(), sin.data(), n / 4, n, 1, x.data()), plain.rope(a.data(), cos.data(), sin.data(), n / 4, n, 1, y.data());
      check(k.name, "rope" + size, x, y, 4);
    }
  }
}

// A tile meets panels in the order of its own instruction set, so whole products are compared.
static std::vector<float> tiled(const Kernels& k, const Matrix& m, const std::vector<float>& x, int tokens) {
  const size_t cols = m.view.cols, rows = m.view.rows;
  std::vector<float> sums(rows * k.panel), tile(rows * TILE_COLS), panel(TILE_COLS * k.panel), out;
  std::vector<const float*> pointers;
  for (int t = 0; t < tokens; t++) pointers.push_back(x.data() + t * cols);
  for (size_t first = 0; first < cols; first += TILE_COLS) {
    const size_t count = cols - first < TILE_COLS ? cols - first : TILE_COLS;
    k.pack_panel(pointers.data(), tokens, first, count, true, panel.data());
    for (size_t r = 0; r < rows; r++) k.bit_plane_tile_row(m.view, r, first, count, tile.data() + r * TILE_COLS);
    k.multiply_tile(tile.data(), rows, TILE_COLS, 1, panel.data(), (count + 31) / 32 * 32, tokens, sums.data());
  }
  for (size_t r = 0; r < rows; r++) {
    for (int t = 0; t < tokens; t++) out.push_back(sums[r * k.panel + t]);
  }
  return out;
}

static void compare_tiles(const Kernels& k) {
  for (const size_t cols : {7, 32, 172, 288, 512, 1056}) {
    for (int bits = 1; bits <= 8; bits++) {
      const Matrix m(29, cols, bits);
      for (const int tokens : {1, 5, 8}) {
        const std::vector<float> x = normal(tokens * cols);
        check(k.name, "tiles " + std::to_string(cols) + " bits " + std::to_string(bits), tiled(k, m, x, tokens),
              tiled(generic_kernels, m, x, tokens), 4 + std::sqrt(cols));
      }
    }
  }
}

static void compare_attention(const Kernels& k) {
  for (const size_t d : {5, 48, 64, 128}) {
    const size_t count = 100;
    const int heads = 6;
    const std::vector<float> keys = normal(count * d), values = normal(count * d), queries = normal(heads * d, 0.3f);
    std::vector<uint16_t> half_keys(count * d), half_values(count * d);
    generic_kernels.narrow_f16(keys.data(), half_keys.data(), count * d);
    generic_kernels.narrow_f16(values.data(), half_values.data(), count * d);
    const auto attend = [&](const Kernels& kernels, const AttentionKeys& block) {
      std::vector<float> max(heads, -1e30f), total(heads), sums(heads * d), scores(4 * ATTENTION_KEYS);
      kernels.attention_queries(block, heads, queries.data(), max.data(), total.data(), sums.data(), scores.data());
      for (size_t i = 0; i < sums.size(); i++) sums[i] /= total[i / d];
      return sums;
    };
    const auto attend_panel = [&](const Kernels& kernels) {
      const size_t p = kernels.panel;
      const AttentionBlock block = {keys.data(), values.data(), count, d, 0, heads};
      std::vector<float> columns(d * p), max(p, -1e30f), total(p), sum(d * p), scores(ATTENTION_KEYS * p), out;
      std::vector<int32_t> first(p, 0), last(p, int32_t(count) - 1);
      for (int h = 0; h < heads; h++) {
        for (size_t i = 0; i < d; i++) columns[i * p + h] = queries[h * d + i];
      }
      kernels.attention_block(block, {columns.data(), first.data(), last.data(), max.data(), total.data(), sum.data(), scores.data()});
      for (int h = 0; h < heads; h++) {
        for (size_t i = 0; i < d; i++) out.push_back(sum[i * p + h] / total[h]);
      }
      return out;
    };
    const AttentionKeys whole = {keys.data(), values.data(), FloatType::f32, count, d};
    const AttentionKeys half = {half_keys.data(), half_values.data(), FloatType::f16, count, d};
    const std::vector<float> wanted = attend(generic_kernels, whole);
    const std::string size = " " + std::to_string(d);
    check(k.name, "attention_queries" + size, attend(k, whole), wanted, 16 + std::sqrt(d));
    check(k.name, "attention_queries f16" + size, attend(k, half), attend(generic_kernels, half), 16 + std::sqrt(d));
    check(k.name, "attention_block" + size, attend_panel(k), wanted, 16 + std::sqrt(d));
  }
}

static void compare_gradients(const Kernels& k) {
  const Kernels& plain = generic_kernels;
  for (const size_t n : {1, 7, 16, 63, 173, 512}) {
    const std::string size = " " + std::to_string(n);
    std::vector<float> a = normal(n, 3), b = normal(n), dy = normal(n);
    a[0] = 0.7f;  // a single value in the tail of gelu would be what its rounding leaves
    std::vector<float> x(n), y(n), u(n), v(n);
    for (const Activation activation : {Activation::silu, Activation::gelu, Activation::gelu_tanh}) {
      k.gate_gradient(activation, a.data(), b.data(), dy.data(), x.data(), u.data(), n);
      plain.gate_gradient(activation, a.data(), b.data(), dy.data(), y.data(), v.data(), n);
      check(k.name, "gate_gradient d_gate" + size, x, y, 32), check(k.name, "gate_gradient d_up" + size, u, v, 8);
    }
    k.rms_norm_gradient(a.data(), dy.data(), b.data(), 1e-5f, x.data(), n), plain.rms_norm_gradient(a.data(), dy.data(), b.data(), 1e-5f, y.data(), n);
    // Of a single value hardly anything is left: the gradient is that of eps.
    if (n > 1) check(k.name, "rms_norm_gradient" + size, x, y, 8 + 3 * std::sqrt(n));
    k.scaled_exp(a.data(), 9.0f, 0.25f, x.data(), n), plain.scaled_exp(a.data(), 9.0f, 0.25f, y.data(), n);
    check(k.name, "scaled_exp" + size, x, y, 4);
  }
}

// Tiles have panels of their own instruction set's width: what they add to is compared.
static void compare_weight_gradients(const Kernels& k) {
  for (const size_t cols : {7, 32, 172, 288, 512}) {
    const size_t rows = 13;
    const std::vector<float> g = normal(rows * cols), before = normal(rows * cols);
    const auto tile_for = [&](const Kernels& kernels) {
      std::vector<float> tile(GRADIENT_ROWS * TILE_COLS);
      for (size_t r = 0; r < rows; r++) {
        for (size_t c = 0; c < cols; c++) tile[(c / kernels.panel * GRADIENT_ROWS + r) * kernels.panel + c % kernels.panel] = g[r * cols + c];
      }
      return tile;
    };
    const std::vector<float> tile = tile_for(k), plain_tile = tile_for(generic_kernels);
    for (const bool squares : {false, true}) {
      std::vector<float> a = before, b = before;
      k.accumulate_tile(tile.data(), rows, cols, squares, a.data(), cols);
      generic_kernels.accumulate_tile(plain_tile.data(), rows, cols, squares, b.data(), cols);
      check(k.name, "accumulate_tile " + std::to_string(cols), a, b, 1);
    }
    for (int bits = 1; bits <= 8; bits++) {
      const Matrix m(rows, 3 * TILE_COLS + cols, bits);
      for (const size_t first : {size_t{0}, 3 * TILE_COLS}) {
        std::vector<float> a(256), b(256), plain(256);
        k.accumulate_codes(m.view, 5, first, cols, tile.data() + 5 * k.panel, a.data());
        generic_kernels.accumulate_codes(m.view, 5, first, cols, plain_tile.data() + 5 * generic_kernels.panel, b.data());
        for (size_t c = 0; c < cols; c++) {
          size_t code = 0;
          for (int p = 0; p < bits; p++) code = code * 2 + (m.planes[(p * rows + 5) * m.view.words + (first + c) / 32] >> (first + c) % 32 & 1);
          plain[code] += g[5 * cols + c];
        }
        const std::string what = "accumulate_codes " + std::to_string(cols) + " bits " + std::to_string(bits);
        check(k.name, what, a, b, 0);
        // Of a few long sums that cancel less is left than the terms that were rounded.
        double terms = 0, results = 0;
        for (size_t c = 0; c < cols; c++) terms += std::pow(g[5 * cols + c], 2);
        for (const float sum : plain) results += std::pow(sum, 2);
        check(k.name, what, a, plain, (4 + std::sqrt(cols)) * std::max(1.0, std::sqrt(terms / results)));
      }
    }
  }
}

// Transposed products, and the inverse order of columns.
static void compare_transposed(const Kernels& k) {
  for (const size_t cols : {7, 32, 172, 288, 512}) {
    const Matrix m(29, cols, 4);
    const int tokens = 5;
    const std::vector<float> dy = normal(tokens * 29);
    const auto product = [&](const Kernels& kernels) {
      std::vector<float> panel(29 * kernels.panel), tile(29 * TILE_COLS), sums(TILE_COLS * kernels.panel), out(tokens * cols);
      const float* pointers[tokens];
      float* rows[tokens];
      for (int t = 0; t < tokens; t++) pointers[t] = dy.data() + t * 29, rows[t] = out.data() + t * cols;
      kernels.pack_panel(pointers, tokens, 0, 29, false, panel.data());
      for (size_t r = 0; r < 29; r++) kernels.bit_plane_tile_row(m.view, r, 0, cols, tile.data() + r * TILE_COLS);
      kernels.multiply_tile(tile.data(), (cols + 31) / 32 * 32, 1, TILE_COLS, panel.data(), 29, tokens, sums.data());
      kernels.unpack_panel(sums.data(), tokens, 0, cols, true, rows);
      return out;
    };
    check(k.name, "transposed " + std::to_string(cols), product(k), product(generic_kernels), 4 + std::sqrt(29));
  }
}

// One softmax over 40 keys for each of `panel` queries, as columns and as rows; a query sees keys 3 to 3 + its number.
static void compare_softmax_gradients(const Kernels& k) {
  const size_t count = 40, queries = 8;
  const std::vector<float> scores = normal(count * queries, 3), dots = normal(count * queries);
  const auto gradient = [&](const Kernels& kernels) {
    const size_t p = kernels.panel;
    std::vector<int32_t> first(p, 3), last(p);
    for (size_t c = 0; c < p; c++) last[c] = int32_t(3 + c);
    std::vector<float> max(p), inverse(p), mean(p), s(count * p), d(count * p), out;
    const SoftmaxState state = {first.data(), last.data(), max.data(), inverse.data(), mean.data()};
    for (size_t i = 0; i < count * queries; i++) s[i / queries * p + i % queries] = scores[i], d[i / queries * p + i % queries] = dots[i];
    kernels.softmax_gradient_columns(s.data(), d.data(), count, 0, state);
    for (size_t i = 0; i < count * queries; i++) out.push_back(s[i / queries * p + i % queries]);
    for (size_t at = 0; at < count; at += p) {
      std::vector<float> rows(queries * p), row_dots(queries * p);
      for (size_t i = 0; i < queries * p; i++) {
        const size_t key = at + i % p;
        if (key < count) rows[i] = scores[key * queries + i / p], row_dots[i] = dots[key * queries + i / p];
      }
      kernels.softmax_gradient_rows(rows.data(), row_dots.data(), queries, int32_t(at), state);
      for (size_t q = 0; q < queries; q++) {
        for (size_t key = at; key < at + p && key < count; key++) {
          const double found = row_dots[q * p + key - at], wanted = s[key * p + q];
          if (!(std::fabs(found - wanted) <= 1e-6)) failures++, std::printf("%s softmax gradients differ: %g %g\n", k.name, found, wanted);
        }
      }
    }
    return out;
  };
  check(k.name, "softmax_gradient", gradient(k), gradient(generic_kernels), 32);
}

int main() {
  for (const Kernels* kernels : available_kernels()) {
    compare_elementwise(*kernels);
    compare_products(*kernels);
    compare_wide_products(*kernels);
    compare_integer_products(*kernels);
    compare_tiles(*kernels);
    compare_attention(*kernels);
    compare_gradients(*kernels);
    compare_weight_gradients(*kernels);
    compare_transposed(*kernels);
    compare_softmax_gradients(*kernels);
    std::printf("%s compared\n", kernels->name);
  }
  std::printf("%d differences\n", failures);
  return failures == 0 ? 0 : 1;
}
