// Bit-plane matrix times 1 .. 4 vectors of integers: table lookups by vpermb, products by vpdpbusd.
//
// Register r, byte j of the codes is column 8 j + CODE_COLUMN[r]; int32 lane l of all eight registers so holds
// columns 32 l .. 32 l + 31, one group of activations with one scale. With a centroid z = 256 high + low - 32768 and
// activations x, a group's sum is 256 sum(high x) + sum(low x) - 32768 sum(x); the last term is what the sum of the
// high bytes starts from, so group sums are exact integers. 16-bit activations are x = 256 a + b, a and b 8-bit:
// sums of the same weight, low a and high b, are added up together.

// Activations of 512 columns.
template <int ACTIVATION_BITS>
struct ActivationBlock {
  static constexpr int PARTS = ACTIVATION_BITS / 8;
  int8_t values[PARTS][8][64];  // [high part, low part][register][byte]
  int32_t start[PARTS][16];     // -128 * sum of the group's values
  float scales[16];             // per group; 0 past the end of the vector
};

// out[r][j] = values[8 j + CODE_COLUMN[r]], for one block of bytes.
ALWAYS_INLINE void transpose_block(const int8_t* values, int8_t out[8][64]) {
  __m512i in[8];
  for (int i = 0; i < 8; i++) in[i] = _mm512_loadu_si512(values + 64 * i);
  const __m512i places = _mm512_set1_epi64(0x3830282018100800);  // byte j: 8 * (j % 8)
  for (int r = 0; r < 8; r++) {
    const __m512i index = _mm512_or_si512(places, _mm512_set1_epi8((char)CODE_COLUMN[r]));
    __m512i bytes = _mm512_setzero_si512();
    for (int i = 0; i < 8; i++) bytes = _mm512_mask_permutexvar_epi8(bytes, (__mmask64)0xff << (8 * i), index, in[i]);
    _mm512_storeu_si512(out[r], bytes);
  }
}

// Columns at .. at + 15 of x [cols], 0 past its end.
ALWAYS_INLINE __m512 load_columns(const float* x, size_t cols, size_t at) {
  const size_t count = at >= cols ? 0 : cols - at;
  return _mm512_maskz_loadu_ps(count < 16 ? (__mmask16)((1u << count) - 1) : 0xffff, x + (count ? at : 0));
}

// Scales of the groups of 512 columns and their inverses: the numbers of quantize_group, 16 at a time.
ALWAYS_INLINE __m512 scale_groups(const float* x, size_t cols, size_t first, float top, float* inverses) {
  float largest[16];
  __mmask16 poisoned = 0;
  for (size_t group = 0; group < 16; group++) {
    const __m512 a = _mm512_abs_ps(load_columns(x, cols, first + 32 * group));
    const __m512 b = _mm512_abs_ps(load_columns(x, cols, first + 32 * group + 16));
    const __m512 finite = _mm512_set1_ps(3.40282347e38f);
    const bool poison = _mm512_cmp_ps_mask(a, finite, _CMP_NLE_UQ) | _mm512_cmp_ps_mask(b, finite, _CMP_NLE_UQ);
    poisoned |= (__mmask16)(poison << group);
    largest[group] = _mm512_reduce_max_ps(_mm512_max_ps(a, b));
  }
  const __m512 max = _mm512_loadu_ps(largest), tops = _mm512_set1_ps(top);
  // Below the smallest normal number the reciprocal would overflow; such a group is 0.
  const __mmask16 used = _mm512_cmp_ps_mask(max, _mm512_set1_ps(1.17549435e-38f), _CMP_GE_OQ);
  _mm512_storeu_ps(inverses, _mm512_maskz_div_ps(used, tops, max));
  return _mm512_mask_mov_ps(_mm512_maskz_div_ps(used, max, tops), poisoned, _mm512_set1_ps(__builtin_nanf("")));
}

template <int ACTIVATION_BITS>
void quantize_blocks(const float* x, size_t cols, ActivationBlock<ACTIVATION_BITS>* blocks) {
  constexpr int PARTS = ACTIVATION_BITS / 8;
  for (size_t first = 0; first < cols; first += 512, blocks++) {
    float inverses[16];
    _mm512_storeu_ps(blocks->scales, scale_groups(x, cols, first, largest_integer(ACTIVATION_BITS), inverses));
    int8_t values[PARTS][512];
    for (size_t i = 0; i < 32; i++) {
      // Rounds to nearest, ties to even.
      const __m512i q = _mm512_cvtps_epi32(_mm512_mul_ps(load_columns(x, cols, first + 16 * i), _mm512_set1_ps(inverses[i / 2])));
      if constexpr (PARTS == 1) {
        _mm_storeu_si128((__m128i*)(values[0] + 16 * i), _mm512_cvtepi32_epi8(q));
      } else {  // see high_part; the low part's bits are those of q
        const __m512i high = _mm512_srai_epi32(_mm512_add_epi32(q, _mm512_set1_epi32(128)), 8);
        _mm_storeu_si128((__m128i*)(values[0] + 16 * i), _mm512_cvtepi32_epi8(high));
        _mm_storeu_si128((__m128i*)(values[1] + 16 * i), _mm512_cvtepi32_epi8(q));
      }
    }
    for (int part = 0; part < PARTS; part++) {
      transpose_block(values[part], blocks->values[part]);
      __m512i sums = _mm512_setzero_si512();
      for (int r = 0; r < 8; r++) {
        sums = _mm512_dpbusd_epi32(sums, _mm512_set1_epi8(1), _mm512_loadu_si512(blocks->values[part][r]));
      }
      _mm512_storeu_si512(blocks->start[part], _mm512_slli_epi32(_mm512_sub_epi32(_mm512_setzero_si512(), sums), 7));
    }
  }
}

void quantize_activations(const float* x, size_t cols, int activation_bits, uint8_t* out) {
  if (activation_bits == 8) quantize_blocks<8>(x, cols, (ActivationBlock<8>*)out);
  else quantize_blocks<16>(x, cols, (ActivationBlock<16>*)out);
}

// Keeps a vector that was loaded in a register: two products that each read it from memory are slower.
ALWAYS_INLINE void keep(__m512i& v) { asm("" : "+v"(v)); }

// Whether centroids have low bytes.
template <int BITS, int ACTIVATION_BITS>
constexpr bool HAS_LOWS = BITS > BYTE_CENTROID_BITS || ACTIVATION_BITS == 16;

// Adds the products of one register of codes to integer sums [chain]: highs of the activations' high parts, lows of their low
// parts, and what counts 1/256 of the highs and 256 times the lows.
template <int BITS, int ACTIVATION_BITS>
ALWAYS_INLINE void add_products(__m512i high, __m512i low, const ActivationBlock<ACTIVATION_BITS>& x, int r, __m512i& highs,
                                __m512i& middles, __m512i& lows) {
  __m512i a = _mm512_loadu_si512(x.values[0][r]);
  keep(a);
  highs = _mm512_dpbusd_epi32(highs, high, a);
  if constexpr (HAS_LOWS<BITS, ACTIVATION_BITS>) middles = _mm512_dpbusd_epi32(middles, low, a);
  if constexpr (ACTIVATION_BITS == 16) {
    __m512i b = _mm512_loadu_si512(x.values[1][r]);
    keep(b);
    middles = _mm512_dpbusd_epi32(middles, high, b);
    lows = _mm512_dpbusd_epi32(lows, low, b);
  }
}

template <int BITS, int ACTIVATION_BITS, int TOKENS>
ALWAYS_INLINE void add_block(const Codes& codes, const ByteTables<BITS>& tables,
                             const ActivationBlock<ACTIVATION_BITS>* const* blocks, size_t k, vf* sums) {
  // One token's products are two chains each: eight of them in a row would take longer than what feeds them.
  constexpr int CHAINS = TOKENS == 1 ? 2 : 1;
  const __m512i zero = _mm512_setzero_si512();
  __m512i highs[TOKENS][2], middles[TOKENS][2], lows[TOKENS][2];
  for (int t = 0; t < TOKENS; t++) {
    highs[t][0] = _mm512_loadu_si512(blocks[t][k].start[0]);
    middles[t][0] = ACTIVATION_BITS == 16 ? _mm512_loadu_si512(blocks[t][k].start[ACTIVATION_BITS / 8 - 1]) : zero;
    highs[t][1] = middles[t][1] = lows[t][0] = lows[t][1] = zero;
  }
#pragma GCC unroll 8
  for (int r = 0; r < 8; r++) {
    const __m512i high = tables.high[(__m512i)codes.r[r]], low = tables.low[(__m512i)codes.r[r]];
    for (int t = 0; t < TOKENS; t++) {
      const int c = r % CHAINS;
      add_products<BITS>(high, low, blocks[t][k], r, highs[t][c], middles[t][c], lows[t][c]);
    }
  }
  for (int t = 0; t < TOKENS; t++) {
    for (int c = 1; c < CHAINS; c++) {
      highs[t][0] = _mm512_add_epi32(highs[t][0], highs[t][c]);
      middles[t][0] = _mm512_add_epi32(middles[t][0], middles[t][c]);
      lows[t][0] = _mm512_add_epi32(lows[t][0], lows[t][c]);
    }
    __m512 sum = _mm512_cvtepi32_ps(_mm512_add_epi32(_mm512_slli_epi32(highs[t][0], 8), middles[t][0]));
    if constexpr (ACTIVATION_BITS == 16) sum = _mm512_fmadd_ps(sum, _mm512_set1_ps(256.0f), _mm512_cvtepi32_ps(lows[t][0]));
    sums[t] = (vf)_mm512_fmadd_ps(sum, _mm512_loadu_ps(blocks[t][k].scales), (__m512)sums[t]);
  }
}
