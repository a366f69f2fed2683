// Attention of few queries: vectors along the head dimension, keys and values read once, as they are cached, for all queries
// of a chunk.

// Fetches what is read some microseconds later than `count` elements from `at` on: a head's keys and values are streams of
// their own, each too short for the processor to find its pace.
template <FloatType TYPE>
ALWAYS_INLINE void prefetch_ahead(const void* data, size_t at, size_t count) {
  constexpr size_t SIZE = TYPE == FloatType::f32 ? 4 : 2, AHEAD = 8192;
  const char* begin = (const char*)data + at * SIZE + AHEAD;
  for (size_t i = 0; i < count * SIZE; i += 64) __builtin_prefetch(begin + i);
}

// out[q, key] = queries[q] . keys[key]: LANES sums at once, of QUERIES queries and KEYS keys.
template <FloatType TYPE, int QUERIES>
void score_keys(const AttentionKeys& block, const float* queries, float* out) {
  constexpr size_t KEYS = LANES / QUERIES;
  const size_t count = block.count, d = block.head_dim;
  for (size_t first = 0; first < count; first += KEYS) {
    vf sums[LANES];   // [QUERIES, KEYS]
    size_t at[KEYS];  // of keys; past the end the last one again
#pragma GCC unroll 16
    for (size_t l = 0; l < LANES; l++) sums[l] = vf{};
#pragma GCC unroll 16
    for (size_t key = 0; key < KEYS; key++) at[key] = (first + key < count ? first + key : count - 1) * d;
    prefetch_ahead<TYPE>(block.keys, first * d, KEYS * d);
    size_t i = 0;
    for (; i + LANES <= d; i += LANES) {
      vf q[QUERIES];
#pragma GCC unroll 4
      for (int g = 0; g < QUERIES; g++) q[g] = load(queries + g * d + i);
#pragma GCC unroll 16
      for (size_t key = 0; key < KEYS; key++) {
        const vf k = load_as<TYPE>(block.keys, at[key] + i);
#pragma GCC unroll 4
        for (int g = 0; g < QUERIES; g++) sums[g * KEYS + key] += q[g] * k;
      }
    }
    if (i < d) {
#pragma GCC unroll 16
      for (size_t key = 0; key < KEYS; key++) {
        const vf k = load_part_as<TYPE>(block.keys, at[key] + i, d - i);
#pragma GCC unroll 4
        for (int g = 0; g < QUERIES; g++) sums[g * KEYS + key] += load_part(queries + g * d + i, d - i) * k;
      }
    }
    float totals[LANES];
    store(totals, sum_each(sums));
    const size_t used = count - first < KEYS ? count - first : KEYS;
    for (int g = 0; g < QUERIES; g++) {
      for (size_t key = 0; key < used; key++) out[g * ATTENTION_KEYS + first + key] = totals[g * KEYS + key];
    }
  }
}

// scores[key] becomes exp(score - largest so far); returns what the sums of earlier blocks have to be multiplied with.
ALWAYS_INLINE float softmax_block(float* scores, size_t count, float* max_score, float* total) {
  const float block_max = max(scores, count);
  const float largest = block_max > *max_score ? block_max : *max_score;
  float shrink[LANES];
  store(shrink, exp_vector(splat(*max_score - largest)));
  vf added = {};
  size_t key = 0;
  for (; key + LANES <= count; key += LANES) {
    const vf weight = exp_vector(load(scores + key) - largest);
    store(scores + key, weight);
    added += weight;
  }
  float rest = 0;
  if (key < count) {
    store_part(scores + key, exp_vector(load_part(scores + key, count - key) - largest), count - key);
    for (; key < count; key++) rest += scores[key];
  }
  *total = *total * shrink[0] + (sum_lanes(added) + rest);
  *max_score = largest;
  return shrink[0];
}

// sums[q, i] = sums[q, i] * shrink[q] + sum over keys of weights[q, key] * values[key, i] for VECTORS vectors from `i` on.
template <FloatType TYPE, int QUERIES, int VECTORS>
ALWAYS_INLINE void add_values(const AttentionKeys& block, const float* weights, const float* shrink, size_t i, float* sums) {
  const size_t d = block.head_dim;
  vf parts[QUERIES][VECTORS];
  for (int g = 0; g < QUERIES; g++) {
    for (int u = 0; u < VECTORS; u++) parts[g][u] = load(sums + g * d + i + u * LANES) * shrink[g];
  }
  for (size_t key = 0; key < block.count; key++) {
    vf v[VECTORS];
    prefetch_ahead<TYPE>(block.values, key * d + i, VECTORS * LANES);
    for (int u = 0; u < VECTORS; u++) v[u] = load_as<TYPE>(block.values, key * d + i + u * LANES);
    for (int g = 0; g < QUERIES; g++) {
      for (int u = 0; u < VECTORS; u++) parts[g][u] += v[u] * weights[g * ATTENTION_KEYS + key];
    }
  }
  for (int g = 0; g < QUERIES; g++) {
    for (int u = 0; u < VECTORS; u++) store(sums + g * d + i + u * LANES, parts[g][u]);
  }
}

template <FloatType TYPE, int QUERIES>
void attend_queries(const AttentionKeys& block, const float* queries, float* max_score, float* total, float* sums, float* scores) {
  // Sums in registers: half of 32 of 64 bytes, or half of 16.
  constexpr int VECTORS = LANES == 16 ? 4 : 2;
  const size_t d = block.head_dim;
  float shrink[QUERIES];
  score_keys<TYPE, QUERIES>(block, queries, scores);
  for (int g = 0; g < QUERIES; g++) shrink[g] = softmax_block(scores + g * ATTENTION_KEYS, block.count, max_score + g, total + g);
  size_t i = 0;
  for (; i + VECTORS * LANES <= d; i += VECTORS * LANES) add_values<TYPE, QUERIES, VECTORS>(block, scores, shrink, i, sums);
  for (; i + LANES <= d; i += LANES) add_values<TYPE, QUERIES, 1>(block, scores, shrink, i, sums);
  if (i == d) return;
  for (int g = 0; g < QUERIES; g++) {
    vf part = load_part(sums + g * d + i, d - i) * shrink[g];
    for (size_t key = 0; key < block.count; key++) {
      part += load_part_as<TYPE>(block.values, key * d + i, d - i) * scores[g * ATTENTION_KEYS + key];
    }
    store_part(sums + g * d + i, part, d - i);
  }
}

template <FloatType TYPE>
void attention_queries_of(const AttentionKeys& block, int count, const float* queries, float* max, float* total, float* sums,
                          float* scores) {
  while (count > 0) {
    const int chunk = count >= 4 ? 4 : count >= 2 ? 2 : 1;
    const auto attend = chunk == 4 ? attend_queries<TYPE, 4> : chunk == 2 ? attend_queries<TYPE, 2> : attend_queries<TYPE, 1>;
    attend(block, queries, max, total, sums, scores);
    count -= chunk, max += chunk, total += chunk;
    queries += chunk * block.head_dim, sums += chunk * block.head_dim;
  }
}

void attention_queries(const AttentionKeys& block, int count, const float* queries, float* max, float* total, float* sums,
                       float* scores) {
  switch (block.type) {
    case FloatType::f32: return attention_queries_of<FloatType::f32>(block, count, queries, max, total, sums, scores);
    case FloatType::f16: return attention_queries_of<FloatType::f16>(block, count, queries, max, total, sums, scores);
    case FloatType::bf16: return attention_queries_of<FloatType::bf16>(block, count, queries, max, total, sums, scores);
  }
}
