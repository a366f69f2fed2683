#pragma once
#include <map>
#include <memory>
#include <tuple>
#include <vector>

#include "program/program.h"

namespace dpllm {

// Numbers that are the same each time (Marsaglia's xorshift64).
class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed * 0x9e3779b97f4a7c15u + 1) {}
  uint64_t bits() {
    state_ ^= state_ << 13, state_ ^= state_ >> 7, state_ ^= state_ << 17;
    return state_;
  }
  // From -1 to 1.
  float uniform() { return static_cast<float>(static_cast<int64_t>(bits()) >> 40) * 0x1p-23f; }

 private:
  uint64_t state_;
};

// Made-up weights. Those of one shape share their arrays on the host; on the device each has its own copy.
class RandomWeights {
 public:
  // Uniform codes; tables spread around 0 so that outputs are about as large as inputs.
  HostWeight bit_planes(size_t rows, size_t cols, int seed_bits, int max_bits);
  // f16: +-[0.5, 1). f32: ones.
  HostWeight dense(size_t rows, size_t cols, FloatType type);

 private:
  using Shape = std::tuple<size_t, size_t, int, int>;
  struct Arrays {
    std::vector<uint32_t> words;
    std::vector<uint16_t> luts[MAX_BITS + 1];
  };
  std::map<Shape, std::unique_ptr<Arrays>> made_;
};

}  // namespace dpllm
