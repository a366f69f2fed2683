// Bit-planes in plain C++, one word of 32 columns at a time: what every machine runs, and the easiest to read.

constexpr size_t BLOCK_WORDS = 1;
ALWAYS_INLINE size_t bit_plane_column(size_t k, size_t) { return k; }

// codes[i] = the code of column 32 word + i.
ALWAYS_INLINE void load_codes(const BitPlaneView& w, size_t row, size_t word, uint8_t codes[32]) {
  const size_t plane_words = w.rows * w.words;
  const uint32_t* p = w.planes + row * w.words + word;
  for (int i = 0; i < 32; i++) codes[i] = 0;
  for (int plane = 0; plane < w.bits; plane++) {
    const uint32_t bits = p[plane * plane_words];
    for (int i = 0; i < 32; i++) codes[i] = (uint8_t)(codes[i] << 1 | ((bits >> i) & 1));
  }
}

void bit_plane_tile_row(const BitPlaneView& w, size_t row, size_t first, size_t cols, float* out) {
  const size_t entries = (size_t)1 << w.bits;
  float table[256];
  widen(FloatType::f16, w.lut + row * entries, table, entries);
  for (size_t word = first / 32; 32 * word < first + cols; word++, out += 32) {
    uint8_t codes[32];
    load_codes(w, row, word, codes);
    for (int i = 0; i < 32; i++) out[i] = table[codes[i]];
  }
}

// Activations of 32 columns.
struct ActivationGroup {
  int16_t values[32];
  float scale;
};

size_t activation_bytes(size_t cols, int) { return (cols + 31) / 32 * sizeof(ActivationGroup); }

void quantize_activations(const float* x, size_t cols, int activation_bits, uint8_t* out) {
  ActivationGroup* groups = (ActivationGroup*)out;
  for (size_t at = 0; at < cols; at += 32, groups++) groups->scale = quantize_group(x, cols, at, activation_bits, groups->values);
}

// One group's sum, an exact integer times the scale; 16-bit activations as 256 a + b, so that every sum fits in 32 bits.
ALWAYS_INLINE float group_sum(const int16_t* z, const ActivationGroup& x, int activation_bits) {
  int32_t coarse = 0, fine = 0;
  if (activation_bits == 8) {
    for (int i = 0; i < 32; i++) coarse += z[i] * x.values[i];
    return (float)coarse * x.scale;
  }
  for (int i = 0; i < 32; i++) {
    const int32_t a = high_part(x.values[i]);
    coarse += z[i] * a;
    fine += z[i] * (x.values[i] - 256 * a);
  }
  return ((float)coarse * 256.0f + (float)fine) * x.scale;
}

void bit_plane_gemv(const BitPlaneView& w, size_t begin, size_t end, const uint8_t* const* activations, int tokens,
                    int activation_bits, const float* bias, float* const* out) {
  const size_t entries = (size_t)1 << w.bits;
  for (size_t row = begin; row < end; row++) {
    const uint8_t* high = w.tables + 2 * row * entries;
    int16_t table[256];
    for (size_t i = 0; i < entries; i++) table[i] = (int16_t)(256 * high[i] + high[entries + i] - 32768);
    float sums[MAX_GEMV_TOKENS] = {};
    for (size_t word = 0; word < w.words; word++) {
      uint8_t codes[32];
      int16_t z[32];
      load_codes(w, row, word, codes);
      for (int i = 0; i < 32; i++) z[i] = table[codes[i]];
      for (int t = 0; t < tokens; t++) {
        sums[t] += group_sum(z, ((const ActivationGroup*)activations[t])[word], activation_bits);
      }
    }
    for (int t = 0; t < tokens; t++) out[t][row] = w.scales[row] * sums[t] + (bias ? bias[row] : 0.0f);
  }
}
