// Bit-planes in plain C++: the butterfly on the compiler's vectors, then one table lookup for each code.
//
// A block is 128 columns in 4 groups of 32. Byte j = 4 g + q of register r is column 32 g + 8 q + CODE_COLUMN[r], so
// places are numbered by group: 32 g + 4 r + q. Tiles and activations have that order.

constexpr size_t GROUPS = BLOCK_COLS / 32;

ALWAYS_INLINE size_t bit_plane_column(size_t k, size_t) {
  return k / 32 * 32 + 8 * (k % 4) + CODE_COLUMN[k % 32 / 4];
}

// Calls body(place, code) for the codes of a block's groups.
template <int BITS, class Body>
ALWAYS_INLINE void for_codes(const Codes& codes, size_t groups, Body body) {
  uint8_t bytes[8][4 * GROUPS];
  const vw mask = repeat((1 << BITS) - 1);
  for (int r = 0; r < 8; r++) {
    const vw masked = codes.r[r] & mask;
    __builtin_memcpy(bytes[r], &masked, sizeof masked);
  }
  for (size_t g = 0; g < groups; g++) {
    for (size_t place = 0; place < 32; place++) body(32 * g + place, bytes[place / 4][4 * g + place % 4]);
  }
}

template <int BITS>
void tile_row(const BitPlaneView& w, size_t row, size_t first_word, size_t end_word, float* out) {
  float table[1 << BITS];
  widen(FloatType::f16, w.lut + (row << BITS), table, (size_t)1 << BITS);
  for (size_t first = first_word; first < end_word; first += BLOCK_WORDS, out += BLOCK_COLS) {
    const size_t words = words_of_block(w.words, first);
    for_codes<BITS>(load_codes<BITS>(w, row, first, words), words, [&](size_t place, uint8_t code) { out[place] = table[code]; });
  }
}

void bit_plane_tile_row(const BitPlaneView& w, size_t row, size_t first, size_t cols, float* out) {
  static constexpr decltype(&tile_row<1>) by_bits[] = {tile_row<1>, tile_row<2>, tile_row<3>, tile_row<4>,
                                                       tile_row<5>, tile_row<6>, tile_row<7>, tile_row<8>};
  by_bits[w.bits - 1](w, row, first / 32, (first + cols + 31) / 32, out);
}

// Activations of 128 columns; 16-bit ones x = 256 a + b as two 8-bit ones, so that group sums are exact in 32 bits.
template <int ACTIVATION_BITS>
struct ActivationBlock {
  static constexpr int PARTS = ACTIVATION_BITS / 8;
  int16_t values[PARTS][GROUPS][32];
  float scales[GROUPS];
};

template <int ACTIVATION_BITS>
void quantize_blocks(const float* x, size_t cols, ActivationBlock<ACTIVATION_BITS>* blocks) {
  for (size_t at = 0; at < (cols + BLOCK_COLS - 1) / BLOCK_COLS * BLOCK_COLS; at += 32) {
    ActivationBlock<ACTIVATION_BITS>& block = blocks[at / BLOCK_COLS];
    const size_t group = at % BLOCK_COLS / 32;
    int16_t q[32];
    block.scales[group] = quantize_group(x, cols, at, ACTIVATION_BITS, q);
    for (size_t place = 0; place < 32; place++) {
      const int16_t value = q[bit_plane_column(place, 1)];
      if constexpr (ACTIVATION_BITS == 8) {
        block.values[0][group][place] = value;
      } else {
        block.values[0][group][place] = (int16_t)high_part(value);
        block.values[1][group][place] = (int16_t)(value - 256 * high_part(value));
      }
    }
  }
}

void quantize_activations(const float* x, size_t cols, int activation_bits, uint8_t* out) {
  if (activation_bits == 8) quantize_blocks<8>(x, cols, (ActivationBlock<8>*)out);
  else quantize_blocks<16>(x, cols, (ActivationBlock<16>*)out);
}

// The centroids z of a row.
template <int BITS>
struct ByteTables {
  int16_t z[1 << BITS];
  ALWAYS_INLINE explicit ByteTables(const uint8_t* p) {
    for (int i = 0; i < 1 << BITS; i++) z[i] = (int16_t)(256 * p[i] + p[(1 << BITS) + i] - 32768);
  }
};

ALWAYS_INLINE int32_t integer_dot(const int16_t* a, const int16_t* b) {
  int32_t sum = 0;
  for (int i = 0; i < 32; i++) sum += a[i] * b[i];
  return sum;
}

template <int BITS, int ACTIVATION_BITS, int TOKENS>
ALWAYS_INLINE void add_block(const Codes& codes, const ByteTables<BITS>& tables,
                             const ActivationBlock<ACTIVATION_BITS>* const* blocks, size_t k, vf* sums) {
  int16_t z[GROUPS][32];
  for_codes<BITS>(codes, GROUPS, [&](size_t place, uint8_t code) { z[place / 32][place % 32] = tables.z[code]; });
  for (int t = 0; t < TOKENS; t++) {
    const ActivationBlock<ACTIVATION_BITS>& x = blocks[t][k];
    for (size_t g = 0; g < GROUPS; g++) {
      float sum = (float)integer_dot(z[g], x.values[0][g]);
      if constexpr (ACTIVATION_BITS == 16) sum = sum * 256.0f + (float)integer_dot(z[g], x.values[1][g]);
      sums[t][g % LANES] += sum * x.scales[g];
    }
  }
}
