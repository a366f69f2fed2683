#include "device/launch.h"
#include "kernels/head_vector.cuh"
#include "operators/operators.h"

namespace dpllm {

static constexpr int GRADIENT_WARPS = 4;

// One attention over the keys of one step; q and dy [T, heads * head_dim], k and v [T, kv_heads * head_dim].
struct GradientShape {
  unsigned tokens, heads, kv_heads, head_dim, window;
  float scale;
  const float *q, *k, *v, *dy;

  __device__ size_t query(unsigned t, unsigned head) const { return (static_cast<size_t>(t) * heads + head) * head_dim; }
  __device__ size_t key(unsigned t, unsigned kv_head) const { return (static_cast<size_t>(t) * kv_heads + kv_head) * head_dim; }
};

// Of the softmax of one token and head: its largest score, its total, and the mean by it of its weights' gradients dP.
struct SoftmaxState {
  float max, total, mean;
};

// Adds up the warps' vectors in order; every thread gets its elements' sums through `store`.
template <class Store>
__device__ __forceinline__ void add_warps(const HeadVector& x, float (*of_warp)[MAX_HEAD_DIM], unsigned head_dim, Store store) {
  __syncthreads();
  store_head(of_warp[threadIdx.x / WARP_LANES], x, static_cast<int>(head_dim));
  __syncthreads();
  for (unsigned i = threadIdx.x; i < head_dim; i += blockDim.x) {
    float sum = 0.0f;
    for (int w = 0; w < GRADIENT_WARPS; w++) sum += of_warp[w][i];
    store(i, sum);
  }
}

// A block for each token and head: the softmax anew, then dq = scale * sum of dS k with dS = P (dP - mean).
__global__ void query_gradient_kernel(GradientShape s, SoftmaxState* states, float* dq) {
  __shared__ SoftmaxState state_of_warp[GRADIENT_WARPS];
  __shared__ float of_warp[GRADIENT_WARPS][MAX_HEAD_DIM];
  const unsigned t = blockIdx.x, head = blockIdx.y, kv_head = head * s.kv_heads / s.heads;
  const unsigned first = s.window == 0 || t < s.window ? 0 : t - s.window + 1;
  const int warp = threadIdx.x / WARP_LANES, head_dim = static_cast<int>(s.head_dim);
  const HeadVector q = load_head(s.q + s.query(t, head), head_dim, s.scale), dy = load_head(s.dy + s.query(t, head), head_dim);

  SoftmaxState state = {-INFINITY, 0.0f, 0.0f};  // the mean times the total
  for (unsigned p = first + warp; p <= t; p += GRADIENT_WARPS) {
    const float score = dot(q, load_head(s.k + s.key(p, kv_head), head_dim));
    const float d_weight = dot(dy, load_head(s.v + s.key(p, kv_head), head_dim));
    const float max = fmaxf(state.max, score), rescale = expf(state.max - max), weight = expf(score - max);
    state = {max, state.total * rescale + weight, state.mean * rescale + weight * d_weight};
  }
  if (threadIdx.x % WARP_LANES == 0) state_of_warp[warp] = state;
  __syncthreads();
  SoftmaxState all = {-INFINITY, 0.0f, 0.0f};
  for (int w = 0; w < GRADIENT_WARPS; w++) all.max = fmaxf(all.max, state_of_warp[w].max);
  for (int w = 0; w < GRADIENT_WARPS; w++) {
    const float rescale = expf(state_of_warp[w].max - all.max);
    all.total += state_of_warp[w].total * rescale;
    all.mean += state_of_warp[w].mean * rescale;
  }
  all.mean /= all.total;
  if (threadIdx.x == 0) states[t * s.heads + head] = all;

  HeadVector sum = {};
  for (unsigned p = first + warp; p <= t; p += GRADIENT_WARPS) {
    const HeadVector k = load_head(s.k + s.key(p, kv_head), head_dim);
    const float weight = expf(dot(q, k) - all.max) / all.total;
    const float d_weight = dot(dy, load_head(s.v + s.key(p, kv_head), head_dim));
    add_scaled(sum, 1.0f, weight * (d_weight - all.mean) * s.scale, k);
  }
  add_warps(sum, of_warp, s.head_dim, [&](unsigned i, float value) { dq[s.query(t, head) + i] = value; });
}

// A block for each token and key head: sums over the tokens and query heads that see it, dv of P dy and dk of scale dS q.
__global__ void key_gradient_kernel(GradientShape s, const SoftmaxState* states, float* dk, float* dv) {
  __shared__ float of_warp[GRADIENT_WARPS][MAX_HEAD_DIM];
  const unsigned p = blockIdx.x, kv_head = blockIdx.y, group = s.heads / s.kv_heads;
  const unsigned end = s.window == 0 ? s.tokens : min(s.tokens, p + s.window);
  const int head_dim = static_cast<int>(s.head_dim);
  const HeadVector k = load_head(s.k + s.key(p, kv_head), head_dim), v = load_head(s.v + s.key(p, kv_head), head_dim);
  HeadVector key_sum = {}, value_sum = {};
  for (unsigned i = threadIdx.x / WARP_LANES; i < (end - p) * group; i += GRADIENT_WARPS) {
    const unsigned t = p + i / group, head = kv_head * group + i % group;
    const HeadVector q = load_head(s.q + s.query(t, head), head_dim, s.scale), dy = load_head(s.dy + s.query(t, head), head_dim);
    const SoftmaxState state = states[t * s.heads + head];
    const float weight = expf(dot(q, k) - state.max) / state.total;
    add_scaled(value_sum, 1.0f, weight, dy);
    add_scaled(key_sum, 1.0f, weight * (dot(dy, v) - state.mean), q);
  }
  if (dk != nullptr) add_warps(key_sum, of_warp, s.head_dim, [&](unsigned i, float value) { dk[s.key(p, kv_head) + i] = value; });
  if (dv != nullptr)
    add_warps(value_sum, of_warp, s.head_dim, [&](unsigned i, float value) { dv[s.key(p, kv_head) + i] = value; });
}

// Room for dq where nobody wants it, after the states.
static size_t state_bytes(const AttentionGradient& op, const Execution& e) {
  return aligned(e.step.token_count * op.heads * sizeof(SoftmaxState));
}
size_t scratch_bytes(const AttentionGradient& op, const Execution& e) {
  return state_bytes(op, e) + e.size(op.dq) * sizeof(float);
}

void run(const AttentionGradient& op, Execution& e) {
  const auto tokens = static_cast<unsigned>(e.step.token_count), heads = static_cast<unsigned>(op.heads),
             kv_heads = static_cast<unsigned>(op.kv_heads);
  const GradientShape shape = {tokens, heads, kv_heads, static_cast<unsigned>(op.head_dim), static_cast<unsigned>(op.window),
                               op.scale, e.f32(op.q), e.f32(op.k), e.f32(op.v), e.f32(op.dy)};
  auto* states = reinterpret_cast<SoftmaxState*>(e.scratch());
  float* dq = e.f32(op.dq) != nullptr ? e.f32(op.dq) : e.scratch() + state_bytes(op, e) / sizeof(float);
  constexpr unsigned threads = GRADIENT_WARPS * WARP_LANES;
  launch("query_gradient", query_gradient_kernel, dim3(tokens, heads), threads, 0, e.stream, shape, states, dq);
  if (e.f32(op.dk) == nullptr && e.f32(op.dv) == nullptr) return;
  launch("key_gradient", key_gradient_kernel, dim3(tokens, kv_heads), threads, 0, e.stream, shape, states, e.f32(op.dk),
         e.f32(op.dv));
}

}  // namespace dpllm
