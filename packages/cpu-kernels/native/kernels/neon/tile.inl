// Rows of tiles from bit-planes: one f32 table lookup for each code.

// Order of a block's columns in a tile: register by register, byte by byte.
ALWAYS_INLINE size_t bit_plane_column(size_t k, size_t words) { return 8 * (k % (4 * words)) + CODE_COLUMN[k / (4 * words)]; }

template <int BITS>
void tile_row(const BitPlaneView& w, size_t row, size_t first_word, size_t end_word, float* out) {
  float table[1 << BITS];
  widen(FloatType::f16, w.lut + (row << BITS), table, (size_t)1 << BITS);
  for (size_t first = first_word; first < end_word; first += BLOCK_WORDS) {
    const size_t words = words_of_block(w.words, first);
    const Codes codes = load_codes<BITS>(w, row, first, words);
    for (int r = 0; r < 8; r++) {
      uint8_t code[16];
      vst1q_u8(code, vandq_u8((uint8x16_t)codes.r[r], vdupq_n_u8((1 << BITS) - 1)));
      for (size_t j = 0; j < 4 * words; j++) *out++ = table[code[j]];
    }
  }
}

void bit_plane_tile_row(const BitPlaneView& w, size_t row, size_t first, size_t cols, float* out) {
  static constexpr decltype(&tile_row<1>) by_bits[] = {tile_row<1>, tile_row<2>, tile_row<3>, tile_row<4>,
                                                       tile_row<5>, tile_row<6>, tile_row<7>, tile_row<8>};
  by_bits[w.bits - 1](w, row, first / 32, (first + cols + 31) / 32, out);
}
