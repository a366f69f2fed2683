// Dense rows times 1 .. 4 vectors: every weight is read and widened once.

template <FloatType TYPE, int TOKENS>
void dense_rows(const DenseView& w, size_t begin, size_t end, const float* const* x, const float* bias, float* const* out) {
  constexpr int UNROLL = TOKENS == 1 ? 4 : 2;
  const size_t size = TYPE == FloatType::f32 ? 4 : 2;
  const size_t cols = w.cols;
  for (size_t row = begin; row < end; row++) {
    const char* data = (const char*)w.data + row * cols * size;
    vf sums[TOKENS][UNROLL] = {};
    size_t k = 0;
    for (; k + UNROLL * LANES <= cols; k += UNROLL * LANES) {
      for (int u = 0; u < UNROLL; u++) {
        const vf v = load_as<TYPE>(data, k + u * LANES);
        for (int t = 0; t < TOKENS; t++) sums[t][u] += v * load(x[t] + k + u * LANES);
      }
    }
    for (; k + LANES <= cols; k += LANES) {
      const vf v = load_as<TYPE>(data, k);
      for (int t = 0; t < TOKENS; t++) sums[t][0] += v * load(x[t] + k);
    }
    if (k < cols) {
      const vf v = load_part_as<TYPE>(data, k, cols - k);
      for (int t = 0; t < TOKENS; t++) sums[t][0] += v * load_part(x[t] + k, cols - k);
    }
    for (int t = 0; t < TOKENS; t++) {
      vf sum = sums[t][0] + sums[t][1];
      if (UNROLL == 4) sum += sums[t][UNROLL - 2] + sums[t][UNROLL - 1];
      out[t][row] = sum_lanes(sum) + (bias ? bias[row] : 0.0f);
    }
  }
}

template <FloatType TYPE>
void dense_gemv_of(const DenseView& w, size_t begin, size_t end, const float* const* x, int tokens, const float* bias,
                   float* const* out) {
  switch (tokens) {
    case 1: return dense_rows<TYPE, 1>(w, begin, end, x, bias, out);
    case 2: return dense_rows<TYPE, 2>(w, begin, end, x, bias, out);
    case 3: return dense_rows<TYPE, 3>(w, begin, end, x, bias, out);
    case 4: return dense_rows<TYPE, 4>(w, begin, end, x, bias, out);
  }
}

void dense_gemv(const DenseView& w, size_t begin, size_t end, const float* const* x, int tokens, const float* bias,
                float* const* out) {
  switch (w.type) {
    case FloatType::f32: return dense_gemv_of<FloatType::f32>(w, begin, end, x, tokens, bias, out);
    case FloatType::f16: return dense_gemv_of<FloatType::f16>(w, begin, end, x, tokens, bias, out);
    case FloatType::bf16: return dense_gemv_of<FloatType::bf16>(w, begin, end, x, tokens, bias, out);
  }
}
