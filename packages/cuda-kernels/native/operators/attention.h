#pragma once
#include "kernels/float_types.cuh"
#include "program/step.h"

namespace dpllm {

// Where a layer's keys and values are: [kv_heads, capacity, head_dim] each.
template <class T>
struct CacheLayer {
  T *keys, *values;
  size_t capacity;
  unsigned head_dim;

  __device__ __forceinline__ size_t place(size_t kv_head, size_t position) const {
    return (kv_head * capacity + position) * head_dim;
  }
};

template <class T>
CacheLayer<T> cache_layer(const Attention& op, const Execution& e) {
  const KeyValueCache& cache = *e.step.cache;
  return {cache.keys[op.layer].as<T>(), cache.values[op.layer].as<T>(), cache.capacity, static_cast<unsigned>(op.head_dim)};
}

// Calls body with the layer's cache in the type that it has.
template <class Body>
void with_cache(const Attention& op, const Execution& e, Body&& body) {
  if (e.step.cache->type == FloatType::f32) body(cache_layer<float>(op, e));
  else body(cache_layer<__half>(op, e));
}

// The queries of the step, once its keys and values are in the cache; nothing where no operator reads the result.
void attend(const Attention& op, Execution& e);

}  // namespace dpllm
