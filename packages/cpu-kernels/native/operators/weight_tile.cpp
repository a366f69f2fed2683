#include "operators/weight_tile.h"

#include "operators/packed_rows.h"

namespace dpllm {

static WeightTile dense_tile(Execution& e, const DenseView& w, size_t begin, size_t end, size_t first, size_t cols, float* scratch) {
  const size_t element = w.type == FloatType::f32 ? 4 : 2;
  const char* data = static_cast<const char*>(w.data) + (begin * w.cols + first) * element;
  if (w.type == FloatType::f32) return {reinterpret_cast<const float*>(data), w.cols};
  for (size_t r = 0; r < end - begin; r++) e.kernels.widen(w.type, data + r * w.cols * element, scratch + r * TILE_STRIDE, cols);
  return {scratch, TILE_STRIDE};
}

WeightTile make_tile(Execution& e, const ProductMatrix& w, size_t begin, size_t end, size_t first, size_t cols, float* scratch) {
  if (w.weight == nullptr) return dense_tile(e, w.dense, begin, end, first, cols, scratch);
  const Weight& weight = *w.weight;
  const size_t places = places_of(cols, true);
  const auto read_at = [&](int bits) {
    return BitPlaneView{weight.planes, weight.rows, weight.cols, (weight.cols + 31) / 32, bits, weight.luts[bits], nullptr, nullptr};
  };
  const BitPlaneView view = read_at(w.bits), other_view = read_at(w.other_bits);
  float* other = scratch + (end - begin) * TILE_STRIDE;
  for (size_t r = begin; r < end; r++) {
    float* row = scratch + (r - begin) * TILE_STRIDE;
    e.kernels.bit_plane_tile_row(view, r, first, cols, row);
    if (w.other_bits == 0) continue;
    e.kernels.bit_plane_tile_row(other_view, r, first, cols, other);
    for (size_t k = 0; k < places; k++) row[k] = w.factor * row[k] + w.other_factor * other[k];
  }
  return {scratch, TILE_STRIDE};
}

}  // namespace dpllm
