// Attention over one block of keys, for a panel of query columns and for a single query.

void attention_block(const AttentionBlock& block, const AttentionState& state) {
  const size_t count = block.count, d = block.head_dim;
  for (size_t i = 0; i < count * PANEL; i++) state.scores[i] = 0.0f;
  multiply_tile(block.keys, count, d, 1, state.queries, d, block.columns, state.scores);

  const int32_t last_key = block.first_key + (int32_t)count - 1;
  for (size_t at = 0; at < (size_t)block.columns; at += LANES) {
    vi first, last;
    __builtin_memcpy(&first, state.first + at, sizeof first);
    __builtin_memcpy(&last, state.last + at, sizeof last);
    bool all_seen = true;
    for (size_t l = 0; l < LANES; l++) all_seen = all_seen && first[l] <= block.first_key && last[l] >= last_key;
    vf largest = load(state.max + at);
    const vf before = largest;
    for (size_t key = 0; key < count; key++) {
      vf score = load(state.scores + key * PANEL + at);
      if (!all_seen) {
        const vi position = (block.first_key + (int32_t)key) - vi{};
        score = choose((first > position) | (last < position), splat(-__builtin_inff()), score);
        store(state.scores + key * PANEL + at, score);
      }
      largest = choose(score > largest, score, largest);
    }
    const vf shrink = exp_vector(before - largest);
    vf total = load(state.total + at) * shrink;
    for (size_t key = 0; key < count; key++) {
      const vf weight = exp_vector(load(state.scores + key * PANEL + at) - largest);
      store(state.scores + key * PANEL + at, weight);
      total += weight;
    }
    store(state.max + at, largest);
    store(state.total + at, total);
    for (size_t i = 0; i < d; i++) store(state.sum + i * PANEL + at, load(state.sum + i * PANEL + at) * shrink);
  }
  multiply_tile(block.values, d, 1, d, state.scores, count, block.columns, state.sum);
}

ALWAYS_INLINE float dot(const float* a, const float* b, size_t n) {
  vf sums[2] = {};
  size_t i = 0;
  for (; i + 2 * LANES <= n; i += 2 * LANES) {
    sums[0] += load(a + i) * load(b + i);
    sums[1] += load(a + i + LANES) * load(b + i + LANES);
  }
  for (; i + LANES <= n; i += LANES) sums[0] += load(a + i) * load(b + i);
  if (i < n) sums[1] += load_part(a + i, n - i) * load_part(b + i, n - i);
  return sum_lanes(sums[0] + sums[1]);
}

void attention_query(const AttentionBlock& block, const float* query, float* max_score, float* total, float* sum, float* scores) {
  const size_t count = block.count, d = block.head_dim;
  for (size_t key = 0; key < count; key++) scores[key] = dot(block.keys + key * d, query, d);
  const float block_max = max(scores, count);
  const float largest = block_max > *max_score ? block_max : *max_score;
  float shrink_lanes[LANES];
  store(shrink_lanes, exp_vector(splat(*max_score - largest)));
  const float shrink = shrink_lanes[0];
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
  *total = *total * shrink + (sum_lanes(added) + rest);
  *max_score = largest;

  size_t i = 0;
  for (; i + 4 * LANES <= d; i += 4 * LANES) {
    vf parts[4];
    for (int u = 0; u < 4; u++) parts[u] = load(sum + i + u * LANES) * shrink;
    for (key = 0; key < count; key++) {
      for (int u = 0; u < 4; u++) parts[u] += load(block.values + key * d + i + u * LANES) * scores[key];
    }
    for (int u = 0; u < 4; u++) store(sum + i + u * LANES, parts[u]);
  }
  for (; i < d; i += LANES) {
    const size_t part = d - i < LANES ? d - i : LANES;
    vf value = load_part(sum + i, part) * shrink;
    for (key = 0; key < count; key++) {
      value += (part == LANES ? load(block.values + key * d + i) : load_part(block.values + key * d + i, part)) * scores[key];
    }
    store_part(sum + i, value, part);
  }
}
