// Byte tables in registers. vpermb reads only six index bits, so tables of up to 64 entries are repeated over the bits of
// the codes that do not count, and nothing needs to be masked.

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

template <int BITS>
struct ByteTables {
  ByteTable<BITS> high, low;
  ALWAYS_INLINE explicit ByteTables(const uint8_t* p) : high(p), low(p + (1 << BITS)) {}
};
