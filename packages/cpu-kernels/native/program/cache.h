#pragma once
#include <vector>

#include "program/program.h"
#include "threads/buffer.h"

namespace dpllm {

// Keys and values of one sequence. Each layer: keys then values, [kv_heads, capacity, head_dim] in 32- or 16-bit floats,
// so that the positions of one head follow each other in memory.
struct KeyValueCache {
  size_t capacity;
  FloatType type;
  std::vector<Buffer> keys, values;  // by layer

  KeyValueCache(const Program& program, size_t capacity, FloatType type);
  size_t bytes() const;
};

}  // namespace dpllm
