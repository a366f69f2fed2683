#include <algorithm>
#include <cstring>

#include "operators/operators.h"

namespace dpllm {

// Below every score that occurs; finite, so that differences of it are no NaN.
static constexpr float NO_SCORE = -1e30f;

// Queries of one key/value head up to which they are taken along the head dimension and keys and values are read as they are
// cached. No more than the smallest panel, which scratch memory is made for.
static constexpr size_t FEW_QUERIES = 8;

// Multiplications below which one thread is enough.
static constexpr size_t PARALLEL_WORK = 65536;

// Writes k and v [T, Hkv * d] to the cache at the step's positions.
static void write_cache(const Attention& op, Execution& e) {
  KeyValueCache& cache = *e.step.cache;
  const size_t d = op.head_dim, width = op.kv_heads * d;
  const auto copy = [&](const float* x, Buffer& to, size_t t) {
    for (size_t h = 0; h < op.kv_heads; h++) {
      const float* from = x + t * width + h * d;
      const size_t place = (h * cache.capacity + e.step.position + t) * d;
      if (cache.type == FloatType::f32) std::memcpy(to.as<float>() + place, from, d * sizeof(float));
      else e.kernels.narrow_f16(from, to.as<uint16_t>() + place, d);
    }
  };
  e.pool.parallel_for(e.step.token_count, grain_of(width), [&](size_t begin, size_t end, int) {
    for (size_t t = begin; t < end; t++) {
      copy(e.f32(op.k), cache.keys[op.layer], t);
      copy(e.f32(op.v), cache.values[op.layer], t);
    }
  });
}

// A thread's scratch memory.
struct Scratch {
  float *keys, *values;  // [ATTENTION_KEYS, d], for 16-bit caches
  float *queries, *sum;  // [d, panel]
  float *max, *total;    // [panel]
  int32_t *first, *last; // [panel]
  float* scores;         // [ATTENTION_KEYS, panel]

  static size_t floats(size_t d, size_t panel) { return 2 * ATTENTION_KEYS * d + 2 * d * panel + 4 * panel + ATTENTION_KEYS * panel; }

  Scratch(float* p, size_t d, size_t panel) {
    const auto take = [&](size_t count) { return std::exchange(p, p + count); };
    keys = take(ATTENTION_KEYS * d), values = take(ATTENTION_KEYS * d);
    queries = take(d * panel), sum = take(d * panel);
    scores = take(ATTENTION_KEYS * panel);
    max = take(panel), total = take(panel);
    first = reinterpret_cast<int32_t*>(take(panel)), last = reinterpret_cast<int32_t*>(take(panel));
  }
};

// Calls body(keys, position of the first) for the blocks of cached keys of a head from position `from` to `to`.
template <class Body>
static void for_blocks(const Attention& op, const Execution& e, size_t kv_head, size_t from, size_t to, Body&& body) {
  const KeyValueCache& cache = *e.step.cache;
  const size_t element = cache.type == FloatType::f32 ? 4 : 2;
  for (size_t at = from; at <= to; at += ATTENTION_KEYS) {
    const size_t place = (kv_head * cache.capacity + at) * op.head_dim * element;
    body(AttentionKeys{cache.keys[op.layer].as(place), cache.values[op.layer].as(place), cache.type,
                       std::min(ATTENTION_KEYS, to + 1 - at), op.head_dim}, at);
  }
}

// 32-bit floats of a cache's, widened to `scratch` unless they are that.
static const float* widen(const Execution& e, const AttentionKeys& block, const void* data, float* scratch) {
  if (block.type == FloatType::f32) return static_cast<const float*>(data);
  e.kernels.widen(block.type, data, scratch, block.count * block.head_dim);
  return scratch;
}

static size_t first_position(const Attention& op, size_t position) {
  return op.window == 0 || position < op.window ? 0 : position - op.window + 1;
}

// The queries of token t that share a key/value head follow each other in q: [group, d] from (t * heads + kv_head * group) * d.
static void attend_few(const Attention& op, Execution& e, size_t kv_head, Scratch& s) {
  const size_t d = op.head_dim, group = op.heads / op.kv_heads;
  for (size_t t = 0; t < e.step.token_count; t++) {
    const size_t place = (t * op.heads + kv_head * group) * d, position = e.step.position + t;
    const float* q = e.f32(op.q) + place;
    float* out = e.f32(op.out) + place;
    for (size_t i = 0; i < group * d; i++) s.queries[i] = q[i] * op.scale, s.sum[i] = 0.0f;
    for (size_t g = 0; g < group; g++) s.max[g] = NO_SCORE, s.total[g] = 0.0f;
    for_blocks(op, e, kv_head, first_position(op, position), position, [&](const AttentionKeys& block, size_t) {
      e.kernels.attention_queries(block, static_cast<int>(group), s.queries, s.max, s.total, s.sum, s.scores);
    });
    for (size_t g = 0; g < group; g++) {
      for (size_t i = 0; i < d; i++) out[g * d + i] = s.sum[g * d + i] / s.total[g];
    }
  }
}

// Column c of a key/value head is token c / group, query head kv_head * group + c % group.
static void attend_panel(const Attention& op, Execution& e, size_t kv_head, size_t first_column, size_t columns, Scratch& s) {
  const size_t d = op.head_dim, group = op.heads / op.kv_heads, panel = e.kernels.panel;
  const auto place_of = [&](size_t c) { return ((c / group) * op.heads + kv_head * group + c % group) * d; };
  std::memset(s.queries, 0, d * panel * sizeof(float));
  std::memset(s.sum, 0, d * panel * sizeof(float));
  for (size_t c = 0; c < panel; c++) {
    const bool used = c < columns;  // the others see what the last one sees
    const size_t position = e.step.position + (first_column + (used ? c : columns - 1)) / group;
    s.first[c] = static_cast<int32_t>(first_position(op, position));
    s.last[c] = static_cast<int32_t>(position);
    s.max[c] = NO_SCORE, s.total[c] = 0.0f;
    if (!used) continue;
    const float* q = e.f32(op.q) + place_of(first_column + c);
    for (size_t i = 0; i < d; i++) s.queries[i * panel + c] = q[i] * op.scale;
  }
  const AttentionState state = {s.queries, s.first, s.last, s.max, s.total, s.sum, s.scores};
  for_blocks(op, e, kv_head, s.first[0], s.last[columns - 1], [&](const AttentionKeys& block, size_t at) {
    const float *keys = widen(e, block, block.keys, s.keys), *values = widen(e, block, block.values, s.values);
    e.kernels.attention_block({keys, values, block.count, d, static_cast<int32_t>(at), static_cast<int>(columns)}, state);
  });
  for (size_t c = 0; c < columns; c++) {
    float* out = e.f32(op.out) + place_of(first_column + c);
    for (size_t i = 0; i < d; i++) out[i] = s.sum[i * panel + c] / s.total[c];
  }
}

void run(const Attention& op, Execution& e) {
  write_cache(op, e);
  if (e.f32(op.out) == nullptr) return;  // run for its cache only
  const size_t panel = e.kernels.panel, columns = e.step.token_count * (op.heads / op.kv_heads);
  const size_t panels = columns <= FEW_QUERIES ? 1 : (columns + panel - 1) / panel;
  const size_t work = columns * (e.step.position + e.step.token_count) * op.head_dim * op.kv_heads;
  const size_t units = op.kv_heads * panels;
  e.pool.reserve_scratch(Scratch::floats(op.head_dim, panel) * sizeof(float));
  e.pool.parallel_for(units, work < PARALLEL_WORK ? units : 1, [&](size_t begin, size_t end, int thread) {
    Scratch scratch(reinterpret_cast<float*>(e.pool.scratch(thread)), op.head_dim, panel);
    for (size_t unit = begin; unit < end; unit++) {
      const size_t kv_head = unit / panels, first = unit % panels * panel;
      if (columns <= FEW_QUERIES) attend_few(op, e, kv_head, scratch);
      else attend_panel(op, e, kv_head, first, std::min(panel, columns - first), scratch);
    }
  });
}

}  // namespace dpllm
