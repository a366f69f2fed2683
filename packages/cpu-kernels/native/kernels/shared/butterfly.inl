// From bit-planes to code bytes. A block is one register's worth of words of one row, one register per plane.
//
// The butterfly transposes 8 x 8 bits inside every byte position by shifts and selects: afterwards byte j of codes.r[r]
// holds, in its low BITS bits, the code of column 8 j + CODE_COLUMN[r] of the block. Bits above are other columns'.
// Each instruction set gives select_bits(mask, a, b) = mask ? a : b, bit by bit, load_words and load_words_part.

constexpr int CODE_COLUMN[8] = {0, 4, 2, 6, 1, 5, 3, 7};
constexpr size_t BLOCK_WORDS = VECTOR_BYTES / 4;
constexpr size_t BLOCK_COLS = 32 * BLOCK_WORDS;

// Shifts of 16-bit lanes: bits that cross from one byte to the next land where no select reads them.
ALWAYS_INLINE vw right(vw a, int n) { return a >> n; }
ALWAYS_INLINE vw left(vw a, int n) { return a << n; }
ALWAYS_INLINE vw repeat(int byte) { return vw{} + (uint16_t)(byte * 0x0101); }

struct Codes {
  vw r[8];
};

// Two planes to pairs of bits: the even columns in [0], the odd ones in [1].
ALWAYS_INLINE void merge_pairs(vw low, vw high, vw pairs[2]) {
  const vw m = repeat(0x55);
  pairs[0] = select_bits(m, low, left(high, 1));
  pairs[1] = select_bits(m, right(low, 1), high);
}

// Four planes (three: planes[3] unused) to nibbles; byte j of n[i] holds two columns' nibbles.
template <int PLANES>
ALWAYS_INLINE void merge_nibbles(const vw* planes, vw n[4]) {
  const vw m = repeat(0x33);
  vw a[2];
  merge_pairs(planes[0], planes[1], a);
  if constexpr (PLANES == 3) {
    n[0] = select_bits(m, a[0], left(planes[2], 2));
    n[1] = select_bits(m, right(a[0], 2), planes[2]);
    n[2] = select_bits(m, a[1], left(planes[2], 1));
    n[3] = select_bits(m, right(a[1], 2), right(planes[2], 1));
  } else {
    vw b[2];
    merge_pairs(planes[2], planes[3], b);
    n[0] = select_bits(m, a[0], left(b[0], 2));
    n[1] = select_bits(m, right(a[0], 2), b[0]);
    n[2] = select_bits(m, a[1], left(b[1], 2));
    n[3] = select_bits(m, right(a[1], 2), b[1]);
  }
}

// planes[p] holds bit p of the codes (the least significant first).
template <int BITS>
ALWAYS_INLINE Codes make_codes(const vw* planes) {
  Codes c;
  if constexpr (BITS == 1) {
    for (int r = 0; r < 8; r++) c.r[r] = right(planes[0], CODE_COLUMN[r]);
    return c;
  }
  if constexpr (BITS == 2) {
    vw a[2];
    merge_pairs(planes[0], planes[1], a);
    for (int r = 0; r < 8; r++) c.r[r] = right(a[r / 4], CODE_COLUMN[r] & 6);
    return c;
  }
  vw n[4];
  merge_nibbles<(BITS == 3 ? 3 : 4)>(planes, n);
  for (int i = 0; i < 4; i++) {
    c.r[2 * i] = n[i];
    c.r[2 * i + 1] = right(n[i], 4);
  }
  if constexpr (BITS == 5) {
    const vw m = repeat(0x10), p = planes[4];
    c.r[0] = select_bits(m, left(p, 4), c.r[0]);
    c.r[1] = select_bits(m, p, c.r[1]);
    c.r[2] = select_bits(m, left(p, 2), c.r[2]);
    c.r[3] = select_bits(m, right(p, 2), c.r[3]);
    c.r[4] = select_bits(m, left(p, 3), c.r[4]);
    c.r[5] = select_bits(m, right(p, 1), c.r[5]);
    c.r[6] = select_bits(m, left(p, 1), c.r[6]);
    c.r[7] = select_bits(m, right(p, 3), c.r[7]);
  } else if constexpr (BITS == 6) {
    const vw m = repeat(0x30);
    vw b[2];
    merge_pairs(planes[4], planes[5], b);
    for (int half = 0; half < 2; half++) {
      c.r[4 * half] = select_bits(m, left(b[half], 4), c.r[4 * half]);
      c.r[4 * half + 1] = select_bits(m, b[half], c.r[4 * half + 1]);
      c.r[4 * half + 2] = select_bits(m, left(b[half], 2), c.r[4 * half + 2]);
      c.r[4 * half + 3] = select_bits(m, right(b[half], 2), c.r[4 * half + 3]);
    }
  } else if constexpr (BITS >= 7) {
    const vw m = repeat(0x0f);
    vw high[4];
    merge_nibbles<(BITS == 7 ? 3 : 4)>(planes + 4, high);
    for (int i = 0; i < 4; i++) {
      c.r[2 * i] = select_bits(m, n[i], left(high[i], 4));
      c.r[2 * i + 1] = select_bits(m, right(n[i], 4), high[i]);
    }
  }
  return c;
}

// The codes of a block's columns from word `first` of a row on, of which `words` are there; columns past them are code 0.
template <int BITS>
ALWAYS_INLINE Codes load_codes(const BitPlaneView& w, size_t row, size_t first, size_t words) {
  const size_t plane_words = w.rows * w.words;
  const uint32_t* base = w.planes + row * w.words + first;
  vw planes[BITS];
  for (int p = 0; p < BITS; p++) {
    const uint32_t* plane = base + (BITS - 1 - p) * plane_words;
    planes[p] = words == BLOCK_WORDS ? load_words(plane) : load_words_part(plane, words);
  }
  return make_codes<BITS>(planes);
}

// Words of the block that starts at word `first`.
ALWAYS_INLINE size_t words_of_block(size_t words, size_t first) {
  return words - first < BLOCK_WORDS ? words - first : BLOCK_WORDS;
}
