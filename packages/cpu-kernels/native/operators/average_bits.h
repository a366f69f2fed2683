#pragma once
#include "operators/product.h"

namespace dpllm {

// The bit counts around an average p that `value` f32[1] holds (core's bitsAround): W = (1 - fraction) W_low + fraction W_high.
struct AverageBits {
  int low, high;
  float fraction;
};

// Throws std::invalid_argument unless seed_bits <= p <= max_bits.
AverageBits bits_around(const Execution& e, const Weight& weight, int value);

// The interpolated matrix. Its tiles are f32.
ProductMatrix average_matrix(const Execution& e, int weight, int average_bits);

}  // namespace dpllm
