// Attention over one block of keys for a panel of query columns.

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
