#include "operators/fixed_point.h"
#include "operators/product.h"

namespace dpllm {

// Bytes of weights below which a second thread is not worth waking.
static constexpr size_t PARALLEL_BYTES = 32768;

static size_t grain_rows(size_t row_bytes) { return (PARALLEL_BYTES + row_bytes - 1) / (row_bytes == 0 ? 1 : row_bytes); }

// The rows' integer activations. A value with few rows is converted whole, once for all products that read it.
static void quantize(Execution& e, const ProductRows& rows, const uint8_t** activations) {
  Prepared& prepared = e.workspace.quantized;
  const size_t width = e.width(rows.value), count = e.rows(rows.value);
  const int bits = static_cast<int>(e.arithmetic);
  const size_t stride = (e.kernels.activation_bytes(width, bits) + 63) / 64 * 64;
  const float* x = e.f32(rows.value);
  const bool whole = count <= MAX_GEMV_TOKENS;
  const auto convert = [&](size_t place, size_t row) {
    e.kernels.quantize_activations(x + row * width, width, bits, prepared.buffer.as(place * stride));
  };
  prepared.buffer.reserve(MAX_GEMV_TOKENS * stride);
  if (!whole) {
    prepared.value = NONE;
    for (size_t i = 0; i < rows.count; i++) convert(i, rows.row(i));
  } else if (prepared.value != rows.value) {
    for (size_t i = 0; i < count; i++) convert(i, i);
    prepared.value = rows.value;
  }
  for (size_t i = 0; i < rows.count; i++) {
    activations[i] = prepared.buffer.as((whole && rows.tokens ? rows.tokens[i] : i) * stride);
  }
}

void vector_product(Execution& e, const ProductMatrix& w, const ProductRows& rows) {
  const size_t N = w.rows(), K = w.cols();
  const int tokens = static_cast<int>(rows.count);
  float* out[MAX_GEMV_TOKENS];
  const float* x[MAX_GEMV_TOKENS];
  for (int i = 0; i < tokens; i++) {
    const size_t row = rows.row(i);
    out[i] = rows.out + row * N;
    x[i] = e.f32(rows.value) + row * K;
  }
  if (w.weight == nullptr) {
    const size_t element = w.dense.type == FloatType::f32 ? 4 : 2;
    e.pool.parallel_for(N, grain_rows(K * element), [&](size_t begin, size_t end, int) {
      e.kernels.dense_gemv(w.dense, begin, end, x, tokens, rows.bias, out);
    });
    return;
  }
  const FixedPointTables& tables = fixed_point_tables(e, *w.weight, w.bits);
  const BitPlaneView view = {w.weight->planes, N, K, (K + 31) / 32, w.bits, w.weight->luts[w.bits],
                             tables.bytes.data(), tables.scales.data()};
  const uint8_t* activations[MAX_GEMV_TOKENS];
  quantize(e, rows, activations);
  e.pool.parallel_for(N, grain_rows(view.words * 4 * w.bits), [&](size_t begin, size_t end, int) {
    e.kernels.bit_plane_gemv(view, begin, end, activations, tokens, static_cast<int>(e.arithmetic), rows.bias, out);
  });
}

}  // namespace dpllm
