#include "operators/fixed_point.h"

#include <cmath>
#include <limits>

namespace dpllm {

static void make_row(const float* centroids, size_t entries, uint8_t* bytes, float* scale) {
  float max = 0.0f;
  bool finite = true;
  for (size_t i = 0; i < entries; i++) {
    finite = finite && std::isfinite(centroids[i]);
    max = std::fmax(max, std::fabs(centroids[i]));
  }
  *scale = finite ? max / 32767.0f : std::numeric_limits<float>::quiet_NaN();
  for (size_t i = 0; i < entries; i++) {
    const long z = finite && max > 0.0f ? std::lrint(static_cast<double>(centroids[i]) * 32767.0 / max) + 32768 : 32768;
    bytes[i] = static_cast<uint8_t>(z >> 8);
    bytes[entries + i] = static_cast<uint8_t>(z & 255);
  }
}

const FixedPointTables& fixed_point_tables(Weight& weight, int bits, const Kernels& kernels, ThreadPool& pool) {
  if (weight.tables[bits] == nullptr) {
    const size_t entries = size_t{1} << bits;
    auto tables = std::make_unique<FixedPointTables>();
    tables->bytes.resize(weight.rows * 2 * entries);
    tables->scales.resize(weight.rows);
    pool.parallel_for(weight.rows, 256, [&](size_t begin, size_t end, int) {
      float centroids[256];
      for (size_t row = begin; row < end; row++) {
        kernels.widen(FloatType::f16, weight.luts[bits] + row * entries, centroids, entries);
        make_row(centroids, entries, tables->bytes.data() + row * 2 * entries, &tables->scales[row]);
      }
    });
    weight.tables[bits] = std::move(tables);
  }
  return *weight.tables[bits];
}

}  // namespace dpllm
