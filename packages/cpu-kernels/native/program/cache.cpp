#include "program/cache.h"

namespace dpllm {

KeyValueCache::KeyValueCache(const Program& program, size_t capacity, FloatType type) : capacity(capacity), type(type) {
  const size_t element = type == FloatType::f32 ? 4 : 2;
  for (const size_t width : program.cache_widths) {
    keys.emplace_back(capacity * width * element);
    values.emplace_back(capacity * width * element);
  }
}

size_t KeyValueCache::bytes() const {
  size_t sum = 0;
  for (const Buffer& buffer : keys) sum += 2 * buffer.size();
  return sum;
}

}  // namespace dpllm
