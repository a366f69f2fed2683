#include "centroids.h"

#include <algorithm>
#include <cstring>

namespace dpllm {

static void sum_leaves(const SortedRow& row, const Bounds& leaves, uint32_t max_bits, CentroidScratch& s) {
  const uint32_t count = 1u << max_bits;
  s.weights.resize(2 * count);
  s.moments.resize(2 * count);
  s.centroids.resize(2 * count);
  for (uint32_t leaf = 0; leaf < count; leaf++) {
    double weight = 0;
    double moment = 0;
    for (uint32_t i = leaves[leaf]; i < leaves[leaf + 1]; i++) {
      weight += row.weights[i];
      moment += row.weights[i] * row.values[i];
    }
    s.weights[count + leaf] = weight;
    s.moments[count + leaf] = moment;
  }
  for (uint32_t node = count - 1; node >= 1; node--) {
    s.weights[node] = s.weights[2 * node] + s.weights[2 * node + 1];
    s.moments[node] = s.moments[2 * node] + s.moments[2 * node + 1];
  }
}

void compute_centroids(const SortedRow& row, const Bounds& leaves, uint32_t seed_bits, uint32_t max_bits,
                       CentroidScratch& s) {
  sum_leaves(row, leaves, max_bits, s);
  for (uint32_t bits = seed_bits; bits <= max_bits; bits++) {
    const uint32_t shift = max_bits - bits;
    const uint32_t first = 1u << bits;
    for (uint32_t node = first; node < 2 * first; node++) {
      const uint32_t begin = leaves[(node - first) << shift];
      const uint32_t end = leaves[(node - first + 1) << shift];
      if (begin == end) {
        s.centroids[node] = bits == seed_bits ? s.centroids[node - 1] : s.centroids[node / 2];
        continue;
      }
      const double mean = s.moments[node] / s.weights[node];
      s.centroids[node] = std::clamp<double>(mean, row.values[begin], row.values[end - 1]);
    }
  }
}

uint16_t half_bits(double value) {
  const float rounded = static_cast<float>(value);
  uint32_t bits;
  std::memcpy(&bits, &rounded, sizeof bits);
  const uint32_t sign = (bits >> 16) & 0x8000u;
  const uint32_t magnitude = bits & 0x7fffffffu;
  if (magnitude < 0x38800000u) {  // a subnormal half is a multiple of 2^-24
    const uint32_t exponent = magnitude >> 23;
    if (exponent < 102) return static_cast<uint16_t>(sign);  // below 2^-25
    const uint32_t mantissa = (magnitude & 0x7fffffu) | 0x800000u;
    const uint32_t shift = 126 - exponent;
    const uint32_t quotient = mantissa >> shift;
    const uint32_t rest = mantissa & ((1u << shift) - 1);
    const uint32_t half = 1u << (shift - 1);
    const uint32_t up = rest > half || (rest == half && (quotient & 1) != 0) ? 1 : 0;
    return static_cast<uint16_t>(sign | (quotient + up));
  }
  const uint32_t nearest = magnitude + 0xfffu + ((magnitude >> 13) & 1);
  return static_cast<uint16_t>(sign | ((nearest - 0x38000000u) >> 13));
}

}  // namespace dpllm
