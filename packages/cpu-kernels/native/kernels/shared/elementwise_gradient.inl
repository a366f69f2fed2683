// Derivatives of gate and rms_norm.

// An activation and its derivative.
struct Derived {
  vf value, slope;
};

// x / (1 + exp(-x)), whose derivative is s (1 + x (1 - s)) with s = 1 / (1 + exp(-x)).
ALWAYS_INLINE Derived silu_derived(vf x) {
  const vf s = 1.0f / (1.0f + exp_vector(-x));
  return {x * s, s * (1.0f + x * (1.0f - s))};
}

// x s(2 z) with the logistic s, whose derivative is s + 2 x z' s (1 - s).
ALWAYS_INLINE Derived gelu_tanh_derived(vf x) {
  const vf square = x * x;
  const vf z = (x + square * x * 0.044715f) * 0.7978845608028654f;
  const vf slope = (1.0f + square * 0.134145f) * 0.7978845608028654f;
  const vf s = 1.0f / (1.0f + exp_vector(z * -2.0f));
  return {x * s, s + 2.0f * x * slope * s * (1.0f - s)};
}

// x C(x) with the normal distribution function C, whose derivative is C + x exp(-x^2 / 2) / sqrt(2 pi).
ALWAYS_INLINE Derived gelu_derived(vf x) {
  float cdf[LANES];
  store(cdf, x);
  for (size_t i = 0; i < LANES; i++) cdf[i] = 0.5f * (float)__builtin_erfc(-0.7071067811865476 * cdf[i]);
  const vf c = load(cdf);
  return {x * c, c + x * exp_vector(x * x * -0.5f) * 0.3989422804014327f};
}

template <class Function>
ALWAYS_INLINE void gate_gradient_with(const float* gate, const float* up, const float* dy, float* d_gate, float* d_up, size_t n,
                                      Function activation) {
  for (size_t i = 0; i < n; i += LANES) {
    const size_t part = n - i < LANES ? n - i : LANES;
    const bool whole = part == LANES;
    const vf d = whole ? load(dy + i) : load_part(dy + i, part);
    const Derived f = activation(whole ? load(gate + i) : load_part(gate + i, part));
    if (d_gate) {
      const vf v = d * (whole ? load(up + i) : load_part(up + i, part)) * f.slope;
      if (whole) store(d_gate + i, v);
      else store_part(d_gate + i, v, part);
    }
    if (d_up) {
      if (whole) store(d_up + i, d * f.value);
      else store_part(d_up + i, d * f.value, part);
    }
  }
}

void gate_gradient(Activation activation, const float* gate, const float* up, const float* dy, float* d_gate, float* d_up, size_t n) {
  switch (activation) {
    case Activation::silu:
      return gate_gradient_with(gate, up, dy, d_gate, d_up, n, [](vf x) __attribute__((always_inline)) { return silu_derived(x); });
    case Activation::gelu:
      return gate_gradient_with(gate, up, dy, d_gate, d_up, n, [](vf x) __attribute__((always_inline)) { return gelu_derived(x); });
    case Activation::gelu_tanh:
      return gate_gradient_with(gate, up, dy, d_gate, d_up, n, [](vf x) __attribute__((always_inline)) { return gelu_tanh_derived(x); });
  }
}

void rms_norm_gradient(const float* x, const float* dy, const float* weight, float eps, float* out, size_t n) {
  vf squares[2] = {}, dots[2] = {};
  size_t i = 0;
  for (; i + 2 * LANES <= n; i += 2 * LANES) {
    for (int u = 0; u < 2; u++) {
      const vf v = load(x + i + u * LANES);
      squares[u] += v * v;
      dots[u] += load(weight + i + u * LANES) * load(dy + i + u * LANES) * v;
    }
  }
  float square = 0, dot = 0;
  for (; i < n; i++) square += x[i] * x[i], dot += weight[i] * dy[i] * x[i];
  square += sum_lanes(squares[0] + squares[1]);
  dot += sum_lanes(dots[0] + dots[1]);
  const float scale = 1.0f / __builtin_sqrtf(square / (float)n + eps);
  const float along = scale * scale * scale * dot / (float)n;
  for (i = 0; i + LANES <= n; i += LANES) store(out + i, load(weight + i) * scale * load(dy + i) - load(x + i) * along);
  for (; i < n; i++) out[i] = weight[i] * scale * dy[i] - x[i] * along;
}
