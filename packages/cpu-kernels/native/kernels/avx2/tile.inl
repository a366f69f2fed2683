// Rows of tiles from bit-planes: the row's centroids as an f32 table, looked up 8 codes at a time.

// Order of a block's columns in a tile: register by register, byte by byte.
ALWAYS_INLINE size_t bit_plane_column(size_t k, size_t words) { return 8 * (k % (4 * words)) + CODE_COLUMN[k / (4 * words)]; }

template <int BITS>
struct FloatTable {
  const float* entries;
  __m256 part[2];

  ALWAYS_INLINE explicit FloatTable(const float* table) : entries(table) {
    part[0] = _mm256_loadu_ps(table);
    part[1] = _mm256_loadu_ps(table + 8);
  }

  ALWAYS_INLINE __m256 operator[](__m256i codes) const {
    if constexpr (BITS <= 3) {
      return _mm256_permutevar8x32_ps(part[0], codes);
    } else if constexpr (BITS == 4) {
      const __m256 choice = _mm256_castsi256_ps(_mm256_slli_epi32(codes, 28));
      return _mm256_blendv_ps(_mm256_permutevar8x32_ps(part[0], codes), _mm256_permutevar8x32_ps(part[1], codes), choice);
    } else {
      return _mm256_i32gather_ps(entries, codes, 4);
    }
  }
};

template <int BITS>
void tile_row(const BitPlaneView& w, size_t row, size_t first_word, size_t end_word, float* out) {
  float entries[BITS < 4 ? 16 : 1 << BITS] = {};
  widen(FloatType::f16, w.lut + (row << BITS), entries, (size_t)1 << BITS);
  const FloatTable<BITS> table(entries);
  const vw mask = repeat((1 << BITS) - 1);
  for (size_t first = first_word; first < end_word; first += BLOCK_WORDS) {
    const size_t words = words_of_block(w.words, first);
    const Codes codes = load_codes<BITS>(w, row, first, words);
    for (int r = 0; r < 8; r++) {
      uint8_t code[32];
      const vw masked = codes.r[r] & mask;
      __builtin_memcpy(code, &masked, sizeof code);
      for (size_t j = 0; j < 4 * words; j += 8, out += 8) {
        const __m256 values = table[_mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i*)(code + j)))];
        if (j + 8 <= 4 * words) _mm256_storeu_ps(out, values);
        else _mm_storeu_ps(out, _mm256_castps256_ps128(values)), out -= 4;
      }
    }
  }
}

void bit_plane_tile_row(const BitPlaneView& w, size_t row, size_t first, size_t cols, float* out) {
  static constexpr decltype(&tile_row<1>) by_bits[] = {tile_row<1>, tile_row<2>, tile_row<3>, tile_row<4>,
                                                       tile_row<5>, tile_row<6>, tile_row<7>, tile_row<8>};
  by_bits[w.bits - 1](w, row, first / 32, (first + cols + 31) / 32, out);
}
