// Rows of tiles from bit-planes: f16 tables in registers indexed by vpermw, widened to f32: the exact centroids.

// Order of a block's columns in a tile: register r, even bytes then odd bytes.
ALWAYS_INLINE size_t bit_plane_column(size_t k, size_t words) {
  const size_t half = k / (2 * words), i = k % (2 * words);
  return 8 * (2 * i + half % 2) + CODE_COLUMN[half / 2];
}

// A table of 2^BITS halves.
template <int BITS>
struct HalfTable {
  __m512i part[BITS <= 5 ? 1 : 1 << (BITS - 5)];

  ALWAYS_INLINE explicit HalfTable(const uint16_t* p) {
    if constexpr (BITS <= 2) {
      uint64_t repeated = 0;
      __builtin_memcpy(&repeated, p, 2 << BITS);
      if (BITS == 1) repeated *= 0x0000000100000001u;
      part[0] = _mm512_set1_epi64((long long)repeated);
    } else if constexpr (BITS == 3) {
      part[0] = _mm512_broadcast_i32x4(_mm_loadu_si128((const __m128i*)p));
    } else if constexpr (BITS == 4) {
      part[0] = _mm512_broadcast_i64x4(_mm256_loadu_si256((const __m256i*)p));
    } else {
      for (int i = 0; i < 1 << (BITS - 5); i++) part[i] = _mm512_loadu_si512(p + 32 * i);
    }
  }

  // Reads the low BITS bits of every 16-bit lane (for BITS <= 5 five of them, else the low byte's).
  ALWAYS_INLINE __m512i operator[](__m512i codes) const {
    if constexpr (BITS <= 5) return _mm512_permutexvar_epi16(codes, part[0]);
    else if constexpr (BITS == 6) return _mm512_permutex2var_epi16(part[0], codes, part[1]);
    else if constexpr (BITS == 7) return half_of(codes, 0);
    else return _mm512_mask_blend_epi16(_mm512_test_epi16_mask(codes, _mm512_set1_epi16(128)), half_of(codes, 0), half_of(codes, 4));
  }

 private:
  // 128 entries from part[first] on.
  ALWAYS_INLINE __m512i half_of(__m512i codes, int first) const {
    const __m512i low = _mm512_permutex2var_epi16(part[first], codes, part[first + 1]);
    const __m512i high = _mm512_permutex2var_epi16(part[first + 2], codes, part[first + 3]);
    return _mm512_mask_blend_epi16(_mm512_test_epi16_mask(codes, _mm512_set1_epi16(64)), low, high);
  }
};

template <int BITS>
void tile_row(const BitPlaneView& w, size_t row, size_t first_word, float* out) {
  const HalfTable<BITS> table(w.lut + (row << BITS));
  const size_t words = words_of_block(w.words, first_word);
  const Codes codes = load_codes<BITS>(w, row, first_word, words);
  const __mmask16 low = words >= 8 ? 0xffff : (__mmask16)((1u << (2 * words)) - 1);
  const __mmask16 high = words <= 8 ? 0 : words == 16 ? 0xffff : (__mmask16)((1u << (2 * words - 16)) - 1);
  for (int half = 0; half < 16; half++) {
    const vw code = half % 2 ? right(codes.r[half / 2], 8) : codes.r[half / 2];
    const __m512i values = table[(__m512i)code];
    float* place = out + (size_t)half * 2 * words;
    _mm512_mask_storeu_ps(place, low, _mm512_cvtph_ps(_mm512_castsi512_si256(values)));
    _mm512_mask_storeu_ps(place + 16, high, _mm512_cvtph_ps(_mm512_extracti64x4_epi64(values, 1)));
  }
}

void bit_plane_tile_row(const BitPlaneView& w, size_t row, size_t first, size_t, float* out) {
  static_assert(TILE_COLS == BLOCK_COLS, "a tile row is one block");
  static constexpr decltype(&tile_row<1>) by_bits[] = {tile_row<1>, tile_row<2>, tile_row<3>, tile_row<4>,
                                                       tile_row<5>, tile_row<6>, tile_row<7>, tile_row<8>};
  by_bits[w.bits - 1](w, row, first / 32, out);
}
