#include "device/launch.h"
#include "operators/attention.h"
#include "operators/operators.h"
#include "operators/rotate.cuh"

namespace dpllm {

// A block for each token and each head of q, k and v: q is rotated, k is rotated into the cache, v goes there as it is.
template <class T>
__global__ void rope_to_cache_kernel(Rotation rotation, const float* q, const float* k, const float* v, unsigned heads,
                                     unsigned kv_heads, const StepParameters* parameters, float* rotated, CacheLayer<T> cache) {
  const size_t t = blockIdx.x, head_dim = rotation.head_dim;
  const uint32_t position = parameters->position + blockIdx.x;
  if (blockIdx.y < heads) {
    const size_t head = (t * heads + blockIdx.y) * head_dim;
    rotate_head(rotation, q + head, position, rotated + head);
    return;
  }
  const unsigned kv_head = (blockIdx.y - heads) % kv_heads;
  const size_t from = (t * kv_heads + kv_head) * head_dim, to = cache.place(kv_head, position);
  if (blockIdx.y < heads + kv_heads) {
    rotate_head(rotation, k + from, position, cache.keys + to);
    return;
  }
  for (unsigned i = threadIdx.x; i < head_dim; i += blockDim.x) store_float(cache.values + to + i, v[from + i]);
}

void run_rope_attention(const Rope& q, const Rope& k, const Attention& op, Execution& e) {
  const Rotation rotation = {e.program.weights[q.frequencies].dense(), static_cast<unsigned>(op.head_dim), q.scale, 1.0f};
  const auto heads = static_cast<unsigned>(op.heads), kv_heads = static_cast<unsigned>(op.kv_heads);
  const dim3 grid(static_cast<unsigned>(e.step.token_count), heads + 2 * kv_heads);
  with_cache(op, e, [&](auto cache) {
    using T = std::remove_pointer_t<decltype(cache.keys)>;
    launch("rope_to_cache", rope_to_cache_kernel<T>, grid, 64, 0, e.stream, rotation, e.f32(q.x), e.f32(k.x), e.f32(op.v), heads,
           kv_heads, e.parameters(), e.f32(op.q), cache);
  });
  attend(op, e);
}

}  // namespace dpllm
