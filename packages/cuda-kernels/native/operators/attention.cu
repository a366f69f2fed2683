#include <algorithm>

#include "device/launch.h"
#include "kernels/head_vector.cuh"
#include "operators/attention.h"
#include "operators/operators.h"

namespace dpllm {

// Warps of a block that share one query's keys.
static constexpr int ATTENTION_WARPS = 4;

struct AttentionShape {
  unsigned heads, kv_heads, head_dim, window;
  float scale;
};

// One block for each token: k and v [T, kv_heads * head_dim] go to the step's positions of the cache.
template <class T>
__global__ void write_cache_kernel(const float* k, const float* v, unsigned kv_heads, const StepParameters* parameters,
                                   CacheLayer<T> cache) {
  const size_t width = kv_heads * cache.head_dim, from = blockIdx.x * width, position = parameters->position + blockIdx.x;
  for (size_t i = threadIdx.x; i < width; i += blockDim.x) {
    const size_t to = cache.place(i / cache.head_dim, position) + i % cache.head_dim;
    store_float(cache.keys + to, k[from + i]);
    store_float(cache.values + to, v[from + i]);
  }
}

// Softmax over some of the keys (Milakov and Gimelshein 2018): the result is sum / total.
struct Partial {
  float max, total;
};

// A block joins the splits of one head in their order: partials [splits], sums [splits, head_dim] -> out [head_dim]. Other
// blocks wrote them while this one ran, so they are not read through caches that may be older.
__device__ __forceinline__ void join_splits(const Partial* partials, const float* sums, unsigned splits, unsigned head_dim,
                                            float* out) {
  const volatile Partial* parts = partials;
  const volatile float* of_split = sums;
  float max = -INFINITY, total = 0.0f;
  for (unsigned i = 0; i < splits; i++) max = fmaxf(max, parts[i].max);
  for (unsigned i = 0; i < splits; i++) total += parts[i].total * expf(parts[i].max - max);
  for (unsigned d = threadIdx.x; d < head_dim; d += blockDim.x) {
    float sum = 0.0f;
    for (unsigned i = 0; i < splits; i++) sum += of_split[i * head_dim + d] * expf(parts[i].max - max);
    out[d] = sum / total;
  }
}

// Version 1: a block for each token, head and split of the sequence; each warp takes every ATTENTION_WARPS-th key. What
// the blocks of a split have to do is told by the position in device memory. `partials` [T, heads, splits] and `sums`
// [T, heads, splits, head_dim] are read by the last of a head's blocks to come here, which `arrived` [T, heads] tells; they
// and the counters are not used where there is one split.
template <class T>
__global__ void attention_kernel(AttentionShape s, const float* q, CacheLayer<T> cache, const StepParameters* parameters,
                                 Partial* partials, float* sums, unsigned* arrived, float* out) {
  __shared__ Partial of_warp[ATTENTION_WARPS];
  __shared__ bool is_last;
  __shared__ float sum_of_warp[ATTENTION_WARPS][MAX_HEAD_DIM];
  const int warp = threadIdx.x / WARP_LANES, head_dim = static_cast<int>(s.head_dim);
  const size_t head = blockIdx.x * static_cast<size_t>(s.heads) + blockIdx.y;
  const size_t kv_head = static_cast<size_t>(blockIdx.y) * s.kv_heads / s.heads;
  const unsigned last = parameters->position + blockIdx.x;
  const unsigned first = s.window == 0 || last < s.window ? 0 : last - s.window + 1;
  const unsigned share = (last - first) / gridDim.z + 1;
  const unsigned begin = first + blockIdx.z * share, end = min(begin + share, last + 1);

  const HeadVector query = load_head(q + head * s.head_dim, head_dim, s.scale);
  HeadVector sum = {};
  Partial state = {-INFINITY, 0.0f};
  for (unsigned p = begin + warp; p < end; p += ATTENTION_WARPS) {
    const size_t at = cache.place(kv_head, p);
    const float score = dot(query, load_head(cache.keys + at, head_dim));
    const float max = fmaxf(state.max, score), rescale = expf(state.max - max), weight = expf(score - max);
    add_scaled(sum, rescale, weight, load_head(cache.values + at, head_dim));
    state = {max, state.total * rescale + weight};
  }
  if (threadIdx.x % WARP_LANES == 0) of_warp[warp] = state;
  store_head(sum_of_warp[warp], sum, head_dim);
  __syncthreads();

  float max = -INFINITY, total = 0.0f;
  for (int w = 0; w < ATTENTION_WARPS; w++) max = fmaxf(max, of_warp[w].max);
  const bool empty = max == -INFINITY;  // more splits than keys
  for (int w = 0; w < ATTENTION_WARPS; w++) total += empty ? 0.0f : of_warp[w].total * expf(of_warp[w].max - max);
  const size_t place = head * gridDim.z + blockIdx.z;
  if (gridDim.z > 1 && threadIdx.x == 0) partials[place] = {max, total};
  for (unsigned i = threadIdx.x; i < s.head_dim; i += blockDim.x) {
    float all = 0.0f;
    for (int w = 0; w < ATTENTION_WARPS; w++) all += empty ? 0.0f : sum_of_warp[w][i] * expf(of_warp[w].max - max);
    if (gridDim.z > 1) sums[place * s.head_dim + i] = all;
    else out[head * s.head_dim + i] = all / total;
  }
  if (gridDim.z == 1) return;

  __threadfence();  // what this block wrote is seen before its arrival is
  __syncthreads();
  if (threadIdx.x == 0) is_last = atomicAdd(arrived + head, 1u) == gridDim.z - 1;
  __syncthreads();
  if (!is_last) return;
  __threadfence();
  join_splits(partials + head * gridDim.z, sums + head * gridDim.z * s.head_dim, gridDim.z, s.head_dim, out + head * s.head_dim);
  if (threadIdx.x == 0) arrived[head] = 0;
}

// Blocks that are enough to fill a large GPU a few times over.
static constexpr size_t ENOUGH_BLOCKS = 512;

// Parts of the sequence that one query's keys are split into; the same at every position.
static unsigned splits_of(const Attention& op, const Execution& e) {
  const size_t queries = e.step.token_count * op.heads;
  return static_cast<unsigned>(std::clamp<size_t>(ENOUGH_BLOCKS / queries, 1, 16));
}

size_t scratch_bytes(const Attention& op, const Execution& e) {
  const size_t splits = splits_of(op, e), heads = e.step.token_count * op.heads;
  return splits == 1 ? 0 : aligned(heads * splits * sizeof(Partial)) + heads * splits * op.head_dim * sizeof(float);
}

size_t counters_needed(const Attention& op, const Execution& e) {
  return splits_of(op, e) == 1 ? 0 : e.step.token_count * op.heads;
}

void attend(const Attention& op, Execution& e) {
  if (e.f32(op.out) == nullptr) return;  // run for its cache only
  const AttentionShape shape = {static_cast<unsigned>(op.heads), static_cast<unsigned>(op.kv_heads),
                                static_cast<unsigned>(op.head_dim), static_cast<unsigned>(op.window), op.scale};
  const auto tokens = static_cast<unsigned>(e.step.token_count);
  const unsigned splits = splits_of(op, e);
  auto* partials = reinterpret_cast<Partial*>(e.scratch());
  float* sums = e.scratch() + aligned(tokens * op.heads * splits * sizeof(Partial)) / sizeof(float);
  with_cache(op, e, [&](auto cache) {
    using T = std::remove_pointer_t<decltype(cache.keys)>;
    launch("attention", attention_kernel<T>, dim3(tokens, shape.heads, splits), ATTENTION_WARPS * WARP_LANES, 0, e.stream, shape,
           e.f32(op.q), cache, e.parameters(), partials, sums, e.at<unsigned>(e.workspace.layout.counters), e.f32(op.out));
  });
}

void run(const Attention& op, Execution& e) {
  const auto tokens = static_cast<unsigned>(e.step.token_count);
  with_cache(op, e, [&](auto cache) {
    using T = std::remove_pointer_t<decltype(cache.keys)>;
    launch("write_cache", write_cache_kernel<T>, tokens, BLOCK, 0, e.stream, e.f32(op.k), e.f32(op.v),
           static_cast<unsigned>(op.kv_heads), e.parameters(), cache);
  });
  attend(op, e);
}

}  // namespace dpllm
