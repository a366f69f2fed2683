#pragma once
#include <vector>

#include "program/program.h"

namespace dpllm {

// Keys and values of one sequence in device memory. Each layer: keys then values, [kv_heads, capacity, head_dim] floats of
// 16 or 32 bits, so that the positions of one head follow each other.
struct KeyValueCache {
  size_t capacity;
  FloatType type;
  uint64_t id = new_identity();
  std::vector<DeviceBuffer> keys, values;  // by layer

  // Throws CudaError where there is no memory.
  KeyValueCache(const Program& program, int device, size_t capacity, FloatType type) : capacity(capacity), type(type) {
    for (const size_t width : program.cache_widths) {
      keys.emplace_back(device, capacity * width * bytes_of(type));
      values.emplace_back(device, capacity * width * bytes_of(type));
    }
  }
};

}  // namespace dpllm
