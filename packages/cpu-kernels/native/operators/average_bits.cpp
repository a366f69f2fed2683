#include "operators/average_bits.h"

#include <algorithm>
#include <stdexcept>
#include <string>

namespace dpllm {

AverageBits bits_around(const Execution& e, const Weight& weight, int value) {
  const float p = *e.f32(value);
  if (!(p >= static_cast<float>(weight.seed_bits) && p <= static_cast<float>(weight.max_bits)))
    throw std::invalid_argument("average bits of " + std::to_string(p) + " where " + std::to_string(weight.seed_bits) + " to " +
                                std::to_string(weight.max_bits) + " are loaded");
  const int low = std::max(weight.seed_bits, std::min(static_cast<int>(p), weight.max_bits - 1));
  return {low, std::min(low + 1, weight.max_bits), p - static_cast<float>(low)};
}

ProductMatrix average_matrix(const Execution& e, int weight, int average_bits) {
  Weight& w = e.program.weights[weight];
  const AverageBits around = bits_around(e, w, average_bits);
  if (around.fraction == 0.0f) return {{}, &w, around.low};
  return {{}, &w, around.high, around.fraction, around.low, 1.0f - around.fraction};
}

}  // namespace dpllm
