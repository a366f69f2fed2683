// add, gate, rms_norm, rope, max, sum_exp, scaled_exp: f32 vectors with a part vector at the end.

void add(const float* a, const float* b, float* out, size_t n) {
  size_t i = 0;
  for (; i + LANES <= n; i += LANES) store(out + i, load(a + i) + load(b + i));
  for (; i < n; i++) out[i] = a[i] + b[i];
}

ALWAYS_INLINE vf silu(vf x) { return x / (1.0f + exp_vector(-x)); }

// 0.5 x (1 + tanh(z)) = x / (1 + exp(-2 z)), z = sqrt(2 / pi) (x + 0.044715 x^3)
ALWAYS_INLINE vf gelu_tanh(vf x) {
  const vf z = (x + x * x * x * 0.044715f) * 0.7978845608028654f;
  return x / (1.0f + exp_vector(z * -2.0f));
}

ALWAYS_INLINE vf gelu(vf x) {
  float lanes[LANES];
  store(lanes, x);
  for (size_t i = 0; i < LANES; i++) lanes[i] = 0.5f * lanes[i] * (float)__builtin_erfc(-0.7071067811865476 * lanes[i]);
  return load(lanes);
}

template <class Function>
ALWAYS_INLINE void gate_with(const float* gate, const float* up, float* out, size_t n, Function activation) {
  size_t i = 0;
  for (; i + LANES <= n; i += LANES) store(out + i, activation(load(gate + i)) * load(up + i));
  if (i < n) store_part(out + i, activation(load_part(gate + i, n - i)) * load_part(up + i, n - i), n - i);
}

void gate(Activation activation, const float* gate, const float* up, float* out, size_t n) {
  switch (activation) {
    case Activation::silu: return gate_with(gate, up, out, n, [](vf x) __attribute__((always_inline)) { return silu(x); });
    case Activation::gelu: return gate_with(gate, up, out, n, [](vf x) __attribute__((always_inline)) { return gelu(x); });
    case Activation::gelu_tanh: return gate_with(gate, up, out, n, [](vf x) __attribute__((always_inline)) { return gelu_tanh(x); });
  }
}

void rms_norm(const float* x, const float* weight, float eps, float* out, size_t n) {
  vf squares[4] = {};
  size_t i = 0;
  for (; i + 4 * LANES <= n; i += 4 * LANES) {
    for (int u = 0; u < 4; u++) {
      const vf v = load(x + i + u * LANES);
      squares[u] += v * v;
    }
  }
  float rest = 0;
  for (; i < n; i++) rest += x[i] * x[i];
  const float sum = sum_lanes((squares[0] + squares[1]) + (squares[2] + squares[3])) + rest;
  const float scale = 1.0f / __builtin_sqrtf(sum / (float)n + eps);
  for (i = 0; i + LANES <= n; i += LANES) store(out + i, load(x + i) * scale * load(weight + i));
  for (; i < n; i++) out[i] = x[i] * scale * weight[i];
}

void rope(const float* x, const float* cos, const float* sin, size_t pairs, size_t head_dim, size_t heads, float* out) {
  for (size_t h = 0; h < heads; h++, x += head_dim, out += head_dim) {
    size_t i = 0;
    for (; i + LANES <= pairs; i += LANES) {
      const vf a = load(x + i), b = load(x + pairs + i), c = load(cos + i), s = load(sin + i);
      store(out + i, a * c - b * s);
      store(out + pairs + i, a * s + b * c);
    }
    for (; i < pairs; i++) {
      const float a = x[i], b = x[pairs + i];
      out[i] = a * cos[i] - b * sin[i];
      out[pairs + i] = a * sin[i] + b * cos[i];
    }
    __builtin_memcpy(out + 2 * pairs, x + 2 * pairs, (head_dim - 2 * pairs) * sizeof(float));
  }
}

float max(const float* x, size_t n) {
  vf largest = splat(-__builtin_inff());
  size_t i = 0;
  for (; i + LANES <= n; i += LANES) {
    const vf v = load(x + i);
    largest = choose(v > largest, v, largest);
  }
  float lanes[LANES];
  store(lanes, largest);
  float result = -__builtin_inff();
  for (size_t l = 0; l < LANES; l++) result = lanes[l] > result ? lanes[l] : result;
  for (; i < n; i++) result = x[i] > result ? x[i] : result;
  return result;
}

double sum_exp(const float* x, float max, size_t n) {
  double sum = 0;
  size_t i = 0;
  float lanes[LANES];
  for (; i < n; i += LANES) {
    const size_t part = n - i < LANES ? n - i : LANES;
    store(lanes, exp_vector((part == LANES ? load(x + i) : load_part(x + i, part)) - max));
    for (size_t l = 0; l < part; l++) sum += (double)lanes[l];
  }
  return sum;
}

void scaled_exp(const float* x, float max, float factor, float* out, size_t n) {
  size_t i = 0;
  for (; i + LANES <= n; i += LANES) store(out + i, exp_vector(load(x + i) - max) * factor);
  if (i < n) store_part(out + i, exp_vector(load_part(x + i, n - i) - max) * factor, n - i);
}
