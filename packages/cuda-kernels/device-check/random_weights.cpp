#include "random_weights.h"

#include <cuda_fp16.h>

#include <cmath>
#include <cstring>

namespace dpllm {

static uint16_t to_half(float value) {
  const __half half = __float2half_rn(value);
  uint16_t bits;
  std::memcpy(&bits, &half, sizeof bits);
  return bits;
}

static void fill(std::vector<uint32_t>& words, Random& random) {
  for (size_t i = 0; i + 1 < words.size(); i += 2) {
    const uint64_t bits = random.bits();
    words[i] = static_cast<uint32_t>(bits), words[i + 1] = static_cast<uint32_t>(bits >> 32);
  }
}

HostWeight RandomWeights::bit_planes(size_t rows, size_t cols, int seed_bits, int max_bits) {
  const size_t words = (cols + 31) / 32;
  std::unique_ptr<Arrays>& arrays = made_[{rows, cols, seed_bits, max_bits}];
  if (arrays == nullptr) {
    arrays = std::make_unique<Arrays>();
    Random random(rows * 31 + cols);
    arrays->words.resize(static_cast<size_t>(max_bits) * rows * words);
    fill(arrays->words, random);
    if (cols % 32 != 0) {
      for (size_t row = 0; row < max_bits * rows; row++) arrays->words[row * words + words - 1] &= (1u << cols % 32) - 1;
    }
    const float scale = 1.3f / std::sqrt(static_cast<float>(cols));
    for (int bits = seed_bits; bits <= max_bits; bits++) {
      const size_t entries = size_t{1} << bits;
      for (size_t row = 0; row < rows; row++) {
        const float of_row = scale * (1.0f + 0.2f * random.uniform());
        for (size_t code = 0; code < entries; code++) {
          const float at = 2.0f * (static_cast<float>(code) + 0.5f) / static_cast<float>(entries) - 1.0f;
          arrays->luts[bits].push_back(to_half(of_row * (at + at * at * at)));
        }
      }
    }
  }
  HostWeight weight;
  weight.bit_planes = true;
  weight.rows = rows, weight.cols = cols;
  weight.seed_bits = seed_bits, weight.max_bits = max_bits;
  weight.planes = arrays->words.data();
  for (int bits = seed_bits; bits <= max_bits; bits++) weight.luts[bits] = arrays->luts[bits].data();
  return weight;
}

HostWeight RandomWeights::dense(size_t rows, size_t cols, FloatType type) {
  std::unique_ptr<Arrays>& arrays = made_[{rows, cols, 0, static_cast<int>(type)}];
  if (arrays == nullptr) {
    arrays = std::make_unique<Arrays>();
    arrays->words.resize((rows * cols * bytes_of(type) + 3) / 4, 0x3f800000);  // 1.0f
    Random random(rows + cols);
    if (type == FloatType::f16) fill(arrays->words, random);
    for (uint32_t& word : arrays->words) {
      if (type == FloatType::f16) word = (word & 0x83ff83ff) | 0x38003800;  // the exponent of 0.5
    }
  }
  HostWeight weight;
  weight.rows = rows, weight.cols = cols;
  weight.type = type;
  weight.data = arrays->words.data();
  return weight;
}

}  // namespace dpllm
