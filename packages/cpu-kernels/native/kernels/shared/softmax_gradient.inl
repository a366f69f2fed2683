// The gradient of attention's softmax, from scores that are there for all keys: columns of queries, then rows of queries.

// Of the keys at `position`, those that a query sees from `first` to `last`.
ALWAYS_INLINE vi seen(vi position, vi first, vi last) { return (first <= position) & (position <= last); }

void softmax_gradient_columns(float* scores, const float* dots, size_t count, int32_t first_key, const SoftmaxState& state) {
  for (size_t at = 0; at < PANEL; at += LANES) {
    vi first, last;
    __builtin_memcpy(&first, state.first + at, sizeof first);
    __builtin_memcpy(&last, state.last + at, sizeof last);
    vf largest = splat(-__builtin_inff());
    for (size_t key = 0; key < count; key++) {
      const vf score = load(scores + key * PANEL + at);
      const vi counts = seen((first_key + (int32_t)key) - vi{}, first, last);
      largest = choose(counts & (score > largest), score, largest);
    }
    vf total = {}, mean = {};
    for (size_t key = 0; key < count; key++) {
      const vi counts = seen((first_key + (int32_t)key) - vi{}, first, last);
      const vf weight = choose(counts, exp_vector(load(scores + key * PANEL + at) - largest), vf{});
      store(scores + key * PANEL + at, weight);
      total += weight;
      mean += weight * load(dots + key * PANEL + at);
    }
    const vf inverse = 1.0f / total;
    mean *= inverse;
    for (size_t key = 0; key < count; key++) {
      const vf weight = load(scores + key * PANEL + at) * inverse;
      store(scores + key * PANEL + at, weight * (load(dots + key * PANEL + at) - mean));
    }
    store(state.max + at, largest);
    store(state.inverse_total + at, inverse);
    store(state.mean + at, mean);
  }
}

void softmax_gradient_rows(float* scores, float* dots, size_t rows, int32_t first_key, const SoftmaxState& state) {
  vi lane;
  for (size_t l = 0; l < LANES; l++) lane[l] = (int32_t)l;
  for (size_t row = 0; row < rows; row++) {
    const vi first = state.first[row] - vi{}, last = state.last[row] - vi{};
    for (size_t at = 0; at < PANEL; at += LANES) {
      float *score = scores + row * PANEL + at, *dot = dots + row * PANEL + at;
      const vi counts = seen(lane + (first_key + (int32_t)at), first, last);
      const vf weight = choose(counts, exp_vector(load(score) - state.max[row]) * state.inverse_total[row], vf{});
      store(score, weight);
      store(dot, choose(counts, weight * (load(dot) - state.mean[row]), vf{}));
    }
  }
}
