// Tiles of a weight's gradient, added to accumulators.

template <bool SQUARES>
ALWAYS_INLINE void accumulate_row(const float* tile, size_t cols, float* out) {
  for (size_t at = 0; at < cols; at += PANEL, tile += GRADIENT_ROWS * PANEL) {
    const size_t end = cols - at < PANEL ? cols - at : PANEL;
    size_t i = 0;
    for (; i + LANES <= end; i += LANES) {
      const vf g = load(tile + i);
      store(out + at + i, load(out + at + i) + (SQUARES ? g * g : g));
    }
    for (; i < end; i++) out[at + i] += SQUARES ? tile[i] * tile[i] : tile[i];
  }
}

void accumulate_tile(const float* tile, size_t rows, size_t cols, bool squares, float* out, size_t stride) {
  for (size_t r = 0; r < rows; r++) {
    if (squares) accumulate_row<true>(tile + r * PANEL, cols, out + r * stride);
    else accumulate_row<false>(tile + r * PANEL, cols, out + r * stride);
  }
}

// Neighbouring columns often have the same code: they add to sums of their own, so that no addition waits for the one before.
constexpr int CODE_SUMS = 4;

template <int BITS>
void accumulate_codes_of(const BitPlaneView& w, size_t row, size_t first, size_t cols, const float* tile, float* table) {
  float sums[CODE_SUMS][1 << BITS] = {};
  const vw mask = repeat((1 << BITS) - 1);
  for (size_t at = 0; at < cols; at += BLOCK_COLS) {
    const size_t word = (first + at) / 32;
    const Codes codes = load_codes<BITS>(w, row, word, words_of_block(w.words, word));
    uint8_t bytes[8][VECTOR_BYTES];
    for (int r = 0; r < 8; r++) {
      const vw masked = codes.r[r] & mask;
      __builtin_memcpy(bytes[r], &masked, sizeof masked);
    }
    const size_t end = cols - at < BLOCK_COLS ? cols - at : BLOCK_COLS;
    for (size_t column = 0; column < end; column += 8) {
      const float* g = tile + (at + column) / PANEL * (GRADIENT_ROWS * PANEL) + (at + column) % PANEL;
      if (column + 8 <= end) {
#pragma GCC unroll 8
        for (int r = 0; r < 8; r++) sums[r % CODE_SUMS][bytes[r][column / 8]] += g[CODE_COLUMN[r]];
      } else {
        for (int r = 0; r < 8; r++) {
          if (column + CODE_COLUMN[r] < end) sums[0][bytes[r][column / 8]] += g[CODE_COLUMN[r]];
        }
      }
    }
  }
  for (int i = 0; i < 1 << BITS; i++) table[i] += (sums[0][i] + sums[1][i]) + (sums[2][i] + sums[3][i]);
}

void accumulate_codes(const BitPlaneView& w, size_t row, size_t first, size_t cols, const float* tile, float* table) {
  static constexpr decltype(&accumulate_codes_of<1>) by_bits[] = {
      accumulate_codes_of<1>, accumulate_codes_of<2>, accumulate_codes_of<3>, accumulate_codes_of<4>,
      accumulate_codes_of<5>, accumulate_codes_of<6>, accumulate_codes_of<7>, accumulate_codes_of<8>};
  by_bits[w.bits - 1](w, row, first, cols, tile, table);
}
