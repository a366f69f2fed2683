// From bit-planes to code bytes. A block is 16 words of one row: 512 columns, one register per plane.
//
// The butterfly transposes 8 x 8 bits inside every byte position by shifts and three-way selects: afterwards byte j of
// codes[r] holds, in its low BITS bits, the code of column 8 j + CODE_COLUMN[r] of the block. The bits above are other
// columns' (for BITS <= 6): vpermb reads six index bits only, and the tables are repeated over those that do not count.

constexpr int CODE_COLUMN[8] = {0, 4, 2, 6, 1, 5, 3, 7};
constexpr size_t BLOCK_WORDS = 16;

#define SELECT(mask, a, b) _mm512_ternarylogic_epi32(mask, a, b, 0xCA)  // mask ? a : b, bit by bit
#define RIGHT(a, n) _mm512_srli_epi16(a, n)
#define LEFT(a, n) _mm512_slli_epi16(a, n)

struct Codes {
  __m512i r[8];
};

// Two planes to pairs of bits: the even columns in [0], the odd ones in [1].
ALWAYS_INLINE void merge_pairs(__m512i low, __m512i high, __m512i pairs[2]) {
  const __m512i m = _mm512_set1_epi8(0x55);
  pairs[0] = SELECT(m, low, LEFT(high, 1));
  pairs[1] = SELECT(m, RIGHT(low, 1), high);
}

// Four planes (three: planes[3] unused) to nibbles; byte j of n[i] holds two columns' nibbles.
template <int PLANES>
ALWAYS_INLINE void merge_nibbles(const __m512i* planes, __m512i n[4]) {
  const __m512i m = _mm512_set1_epi8(0x33);
  __m512i a[2];
  merge_pairs(planes[0], planes[1], a);
  if constexpr (PLANES == 3) {
    n[0] = SELECT(m, a[0], LEFT(planes[2], 2));
    n[1] = SELECT(m, RIGHT(a[0], 2), planes[2]);
    n[2] = SELECT(m, a[1], LEFT(planes[2], 1));
    n[3] = SELECT(m, RIGHT(a[1], 2), RIGHT(planes[2], 1));
  } else {
    __m512i b[2];
    merge_pairs(planes[2], planes[3], b);
    n[0] = SELECT(m, a[0], LEFT(b[0], 2));
    n[1] = SELECT(m, RIGHT(a[0], 2), b[0]);
    n[2] = SELECT(m, a[1], LEFT(b[1], 2));
    n[3] = SELECT(m, RIGHT(a[1], 2), b[1]);
  }
}

// planes[p] holds bit p of the codes (the least significant first).
template <int BITS>
ALWAYS_INLINE Codes make_codes(const __m512i* planes) {
  Codes c;
  if constexpr (BITS == 1) {
    for (int r = 0; r < 8; r++) c.r[r] = RIGHT(planes[0], CODE_COLUMN[r]);
    return c;
  }
  if constexpr (BITS == 2) {
    __m512i a[2];
    merge_pairs(planes[0], planes[1], a);
    for (int r = 0; r < 8; r++) c.r[r] = RIGHT(a[r / 4], CODE_COLUMN[r] & 6);
    return c;
  }
  __m512i n[4];
  merge_nibbles<(BITS == 3 ? 3 : 4)>(planes, n);
  for (int i = 0; i < 4; i++) {
    c.r[2 * i] = n[i];
    c.r[2 * i + 1] = RIGHT(n[i], 4);
  }
  if constexpr (BITS == 5) {
    const __m512i m = _mm512_set1_epi8(0x10), p = planes[4];
    c.r[0] = SELECT(m, LEFT(p, 4), c.r[0]);
    c.r[1] = SELECT(m, p, c.r[1]);
    c.r[2] = SELECT(m, LEFT(p, 2), c.r[2]);
    c.r[3] = SELECT(m, RIGHT(p, 2), c.r[3]);
    c.r[4] = SELECT(m, LEFT(p, 3), c.r[4]);
    c.r[5] = SELECT(m, RIGHT(p, 1), c.r[5]);
    c.r[6] = SELECT(m, LEFT(p, 1), c.r[6]);
    c.r[7] = SELECT(m, RIGHT(p, 3), c.r[7]);
  } else if constexpr (BITS == 6) {
    const __m512i m = _mm512_set1_epi8(0x30);
    __m512i b[2];
    merge_pairs(planes[4], planes[5], b);
    for (int half = 0; half < 2; half++) {
      c.r[4 * half] = SELECT(m, LEFT(b[half], 4), c.r[4 * half]);
      c.r[4 * half + 1] = SELECT(m, b[half], c.r[4 * half + 1]);
      c.r[4 * half + 2] = SELECT(m, LEFT(b[half], 2), c.r[4 * half + 2]);
      c.r[4 * half + 3] = SELECT(m, RIGHT(b[half], 2), c.r[4 * half + 3]);
    }
  } else if constexpr (BITS >= 7) {
    const __m512i m = _mm512_set1_epi8(0x0f);
    __m512i high[4];
    merge_nibbles<(BITS == 7 ? 3 : 4)>(planes + 4, high);
    for (int i = 0; i < 4; i++) {
      c.r[2 * i] = SELECT(m, n[i], LEFT(high[i], 4));
      c.r[2 * i + 1] = SELECT(m, RIGHT(n[i], 4), high[i]);
    }
  }
  return c;
}

// A table of 2^BITS bytes, repeated to fill the registers that the permutes index.
template <int BITS>
struct ByteTable {
  __m512i part[BITS <= 6 ? 1 : 1 << (BITS - 6)];

  ALWAYS_INLINE explicit ByteTable(const uint8_t* p) {
    if constexpr (BITS <= 3) {
      uint64_t repeated = 0;
      __builtin_memcpy(&repeated, p, 1 << BITS);
      if (BITS == 1) repeated *= 0x0001000100010001u;
      if (BITS == 2) repeated *= 0x0000000100000001u;
      part[0] = _mm512_set1_epi64((long long)repeated);
    } else if constexpr (BITS == 4) {
      part[0] = _mm512_broadcast_i32x4(_mm_loadu_si128((const __m128i*)p));
    } else if constexpr (BITS == 5) {
      part[0] = _mm512_broadcast_i64x4(_mm256_loadu_si256((const __m256i*)p));
    } else {
      for (int i = 0; i < 1 << (BITS - 6); i++) part[i] = _mm512_loadu_si512(p + 64 * i);
    }
  }

  ALWAYS_INLINE __m512i operator[](__m512i codes) const {
    if constexpr (BITS <= 6) {
      return _mm512_permutexvar_epi8(codes, part[0]);
    } else if constexpr (BITS == 7) {
      return _mm512_permutex2var_epi8(part[0], codes, part[1]);
    } else {
      const __m512i low = _mm512_permutex2var_epi8(part[0], codes, part[1]);
      const __m512i high = _mm512_permutex2var_epi8(part[2], codes, part[3]);
      return _mm512_mask_blend_epi8(_mm512_movepi8_mask(codes), low, high);
    }
  }
};

// Lanes of words first .. of a row of `words` words.
ALWAYS_INLINE __mmask16 word_mask(size_t words, size_t first) {
  return words - first >= BLOCK_WORDS ? (__mmask16)0xffff : (__mmask16)((1u << (words - first)) - 1);
}

// The codes of 512 columns from word `first` of a row on; columns past the row are code 0.
template <int BITS>
ALWAYS_INLINE Codes load_codes(const BitPlaneView& w, size_t row, size_t first, __mmask16 mask) {
  const size_t plane_words = w.rows * w.words;
  const uint32_t* base = w.planes + row * w.words + first;
  __m512i planes[BITS];
  for (int p = 0; p < BITS; p++) planes[p] = _mm512_maskz_loadu_epi32(mask, base + (BITS - 1 - p) * plane_words);
  return make_codes<BITS>(planes);
}
