#include "operators/fixed_point.h"

#include <cmath>
#include <limits>

namespace dpllm {

static void make_row(const float* centroids, size_t entries, float max, uint8_t* bytes, float* scale) {
  *scale = max / 32767.0f;
  for (size_t i = 0; i < entries; i++) {
    const long z = max > 0.0f ? std::lrint(static_cast<double>(centroids[i]) * 32767.0 / max) + 32768 : 32768;
    bytes[i] = static_cast<uint8_t>(z >> 8);
    bytes[entries + i] = static_cast<uint8_t>(z & 255);
  }
}

// Sum of squares of what rounding to whole numbers of 1 / inverse takes from the centroids.
static float rounding_error(const float* centroids, size_t entries, float inverse) {
  float error = 0.0f;
  for (size_t i = 0; i < entries; i++) {
    const float steps = centroids[i] * inverse, lost = (steps - std::rint(steps)) / inverse;
    error += lost * lost;
  }
  return error;
}

// Of LEVELS levels for the largest centroid down to three quarters of them, the number at which least is lost.
static void make_byte_row(const float* centroids, size_t entries, float max, uint8_t* bytes, float* scale) {
  constexpr float LEVELS = 127.0f, STEP = 0.25f;
  float inverse = 0.0f, least = std::numeric_limits<float>::infinity();
  for (float levels = LEVELS; max > 0.0f && levels >= 0.75f * LEVELS; levels -= STEP) {
    const float error = rounding_error(centroids, entries, levels / max);
    if (error < least) least = error, inverse = levels / max;
  }
  *scale = inverse > 0.0f ? 1.0f / (256.0f * inverse) : 0.0f;
  for (size_t i = 0; i < entries; i++) {
    bytes[i] = static_cast<uint8_t>(std::lrint(centroids[i] * inverse) + 128);
    bytes[entries + i] = 0;
  }
}

const FixedPointTables& fixed_point_tables(Execution& e, Weight& weight, int bits) {
  if (weight.tables[bits] == nullptr) {
    const size_t entries = size_t{1} << bits;
    const bool one_byte = bits <= BYTE_CENTROID_BITS && e.arithmetic == Arithmetic::fast;
    auto tables = std::make_unique<FixedPointTables>();
    tables->bytes.resize(weight.rows * 2 * entries);
    tables->scales.resize(weight.rows);
    e.pool.parallel_for(weight.rows, 256, [&](size_t begin, size_t end, int) {
      float centroids[256];
      for (size_t row = begin; row < end; row++) {
        e.kernels.widen(FloatType::f16, weight.luts[bits] + row * entries, centroids, entries);
        float max = 0.0f;
        bool finite = true;
        for (size_t i = 0; i < entries; i++) {
          finite = finite && std::isfinite(centroids[i]);
          max = std::fmax(max, std::fabs(centroids[i]));
        }
        uint8_t* bytes = tables->bytes.data() + row * 2 * entries;
        (one_byte ? make_byte_row : make_row)(centroids, entries, finite ? max : 0.0f, bytes, &tables->scales[row]);
        if (!finite) tables->scales[row] = std::numeric_limits<float>::quiet_NaN();
      }
    });
    weight.tables[bits] = std::move(tables);
  }
  return *weight.tables[bits];
}

}  // namespace dpllm
