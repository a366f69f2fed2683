#include <algorithm>
#include <cstring>
#include <utility>

#include "operators/operators.h"

namespace dpllm {
namespace {

// Keys of a panel of queries, or queries of a panel of keys, that are taken at once.
constexpr size_t BLOCK = 128;

// The softmax of every query, taken anew by the first pass for the second, [heads, T]; by token, what it sees.
struct States {
  float *max, *inverse_total, *mean;
  int32_t *first, *last;

  static size_t bytes(size_t heads, size_t tokens) { return (3 * heads + 2) * tokens * sizeof(float); }

  States(Buffer& buffer, size_t heads, size_t tokens) {
    float* p = buffer.as<float>();
    max = p, inverse_total = p + heads * tokens, mean = p + 2 * heads * tokens;
    first = reinterpret_cast<int32_t*>(p + 3 * heads * tokens), last = first + tokens;
  }
};

// Gives out parts of a thread's scratch memory.
struct Scratch {
  float* next;
  float* take(size_t floats) { return std::exchange(next, next + floats); }
};

// Rows [begin, end) of one head as [end - begin, d], times `factor`.
void gather(const float* x, size_t stride, size_t begin, size_t end, size_t d, float factor, float* out) {
  for (size_t t = begin; t < end; t++, out += d) {
    for (size_t i = 0; i < d; i++) out[i] = x[t * stride + i] * factor;
  }
}

// The same as columns [d, panel], the others zero.
void gather_panel(const float* x, size_t stride, size_t begin, size_t end, size_t d, float factor, size_t panel, float* out) {
  std::memset(out, 0, d * panel * sizeof(float));
  for (size_t t = begin; t < end; t++) {
    for (size_t i = 0; i < d; i++) out[i * panel + t - begin] = x[t * stride + i] * factor;
  }
}

void scatter_panel(const float* sums, size_t begin, size_t end, size_t d, float factor, size_t panel, float* out, size_t stride) {
  for (size_t t = begin; t < end; t++) {
    for (size_t i = 0; i < d; i++) out[t * stride + i] = sums[i * panel + t - begin] * factor;
  }
}

// Queries [begin, end) of one head, as columns, and all keys that they see: dq and the states.
void query_panel(const AttentionGradient& op, Execution& e, const States& states, size_t head, size_t begin, size_t end, Scratch s) {
  const size_t d = op.head_dim, panel = e.kernels.panel, tokens = e.step.token_count;
  const size_t width = op.heads * d, kv_width = op.kv_heads * d, at = head * d, kv_at = head * op.kv_heads / op.heads * d;
  const size_t from = states.first[begin], count = end - from;
  const int columns = static_cast<int>(end - begin);
  float *queries = s.take(d * panel), *dy = s.take(d * panel), *dq = s.take(d * panel);
  float *keys = s.take(BLOCK * d), *values = s.take(BLOCK * d);
  int32_t *first = reinterpret_cast<int32_t*>(s.take(panel)), *last = reinterpret_cast<int32_t*>(s.take(panel));
  const SoftmaxState state = {first, last, s.take(panel), s.take(panel), s.take(panel)};
  float *scores = s.take(tokens * panel), *dots = s.take(tokens * panel);

  gather_panel(e.f32(op.q) + at, width, begin, end, d, op.scale, panel, queries);
  gather_panel(e.f32(op.dy) + at, width, begin, end, d, 1.0f, panel, dy);
  for (size_t c = 0; c < panel; c++) {
    const size_t t = std::min(begin + c, end - 1);  // columns that are not used see what the last one sees
    first[c] = states.first[t], last[c] = states.last[t];
  }
  std::memset(scores, 0, count * panel * sizeof(float));
  std::memset(dots, 0, count * panel * sizeof(float));
  std::memset(dq, 0, d * panel * sizeof(float));
  for (size_t p = from; p < end; p += BLOCK) {
    const size_t stop = std::min(end, p + BLOCK), place = (p - from) * panel;
    gather(e.f32(op.k) + kv_at, kv_width, p, stop, d, 1.0f, keys);
    gather(e.f32(op.v) + kv_at, kv_width, p, stop, d, 1.0f, values);
    e.kernels.multiply_tile(keys, stop - p, d, 1, queries, d, columns, scores + place);
    e.kernels.multiply_tile(values, stop - p, d, 1, dy, d, columns, dots + place);
  }
  e.kernels.softmax_gradient_columns(scores, dots, count, static_cast<int32_t>(from), state);
  for (size_t c = 0; c < end - begin; c++) {
    const size_t place = head * tokens + begin + c;
    states.max[place] = state.max[c], states.inverse_total[place] = state.inverse_total[c], states.mean[place] = state.mean[c];
  }
  if (e.f32(op.dq) == nullptr) return;
  e.kernels.multiply_tile(e.f32(op.k) + from * kv_width + kv_at, d, 1, kv_width, scores, count, columns, dq);
  scatter_panel(dq, begin, end, d, op.scale, panel, e.f32(op.dq) + at, width);
}

// Keys [begin, end) of one head, as columns, and all queries that see them: dk and dv.
void key_panel(const AttentionGradient& op, Execution& e, const States& states, size_t kv_head, size_t begin, size_t end, Scratch s) {
  const size_t d = op.head_dim, panel = e.kernels.panel, tokens = e.step.token_count, group = op.heads / op.kv_heads;
  const size_t width = op.heads * d, kv_width = op.kv_heads * d, kv_at = kv_head * d;
  const int columns = static_cast<int>(end - begin);
  float *keys = s.take(d * panel), *values = s.take(d * panel), *dk = s.take(d * panel), *dv = s.take(d * panel);
  float *queries = s.take(BLOCK * d), *dy = s.take(BLOCK * d), *scores = s.take(BLOCK * panel), *dots = s.take(BLOCK * panel);

  gather_panel(e.f32(op.k) + kv_at, kv_width, begin, end, d, 1.0f, panel, keys);
  gather_panel(e.f32(op.v) + kv_at, kv_width, begin, end, d, 1.0f, panel, values);
  std::memset(dk, 0, d * panel * sizeof(float));
  std::memset(dv, 0, d * panel * sizeof(float));
  const size_t seen_until = op.window == 0 ? tokens : std::min(tokens, end - 1 + op.window);
  for (size_t head = kv_head * group; head < (kv_head + 1) * group; head++) {
    for (size_t t = begin; t < seen_until; t += BLOCK) {
      const size_t stop = std::min(seen_until, t + BLOCK), count = stop - t, place = head * tokens + t;
      gather(e.f32(op.q) + head * d, width, t, stop, d, op.scale, queries);
      gather(e.f32(op.dy) + head * d, width, t, stop, d, 1.0f, dy);
      std::memset(scores, 0, count * panel * sizeof(float));
      std::memset(dots, 0, count * panel * sizeof(float));
      e.kernels.multiply_tile(queries, count, d, 1, keys, d, columns, scores);
      e.kernels.multiply_tile(dy, count, d, 1, values, d, columns, dots);
      e.kernels.softmax_gradient_rows(scores, dots, count, static_cast<int32_t>(begin),
                                      {states.first + t, states.last + t, states.max + place, states.inverse_total + place,
                                       states.mean + place});
      e.kernels.multiply_tile(dy, d, 1, d, scores, count, columns, dv);
      e.kernels.multiply_tile(queries, d, 1, d, dots, count, columns, dk);
    }
  }
  if (e.f32(op.dk) != nullptr) scatter_panel(dk, begin, end, d, 1.0f, panel, e.f32(op.dk) + kv_at, kv_width);
  if (e.f32(op.dv) != nullptr) scatter_panel(dv, begin, end, d, 1.0f, panel, e.f32(op.dv) + kv_at, kv_width);
}

}  // namespace

// Two passes, so that every sum is one thread's: over panels of queries, then over panels of keys with their scores taken
// anew. Scores of one panel exist at a time.
void run(const AttentionGradient& op, Execution& e) {
  const size_t tokens = e.step.token_count, d = op.head_dim, panel = e.kernels.panel, panels = (tokens + panel - 1) / panel;
  e.workspace.softmax.reserve(States::bytes(op.heads, tokens));
  const States states(e.workspace.softmax, op.heads, tokens);
  for (size_t t = 0; t < tokens; t++) {
    states.first[t] = static_cast<int32_t>(op.window == 0 || t < op.window ? 0 : t - op.window + 1);
    states.last[t] = static_cast<int32_t>(t);
  }
  e.pool.reserve_scratch((4 * d * panel + 2 * BLOCK * d + 5 * panel + 2 * std::max(tokens, BLOCK) * panel) * sizeof(float));
  const auto pass = [&](size_t heads, auto&& body) {
    e.pool.parallel_for(heads * panels, 1, [&](size_t begin, size_t end, int thread) {
      for (size_t unit = begin; unit < end; unit++) {
        const size_t first = unit % panels * panel;
        body(op, e, states, unit / panels, first, std::min(tokens, first + panel), Scratch{reinterpret_cast<float*>(e.pool.scratch(thread))});
      }
    });
  };
  pass(op.heads, query_panel);
  if (e.f32(op.dk) != nullptr || e.f32(op.dv) != nullptr) pass(op.kv_heads, key_panel);
}

}  // namespace dpllm
