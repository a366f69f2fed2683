// Bit-plane matrix times 1 .. 4 vectors of integers: table lookups by vpermb, products by vpdpbusd.
//
// Register r, byte j of the codes is column 8 j + CODE_COLUMN[r]; int32 lane l of all eight registers so holds
// columns 32 l .. 32 l + 31, one group of activations with one scale. With a centroid z = 256 high + low - 32768 and
// activations x, a group's sum is 256 sum(high x) + sum(low x) - 32768 sum(x); the last term is what the sum of the
// high bytes starts from, so group sums are exact integers. 16-bit activations are x = 256 a + b, a and b 8-bit:
// one such sum for a and one for b.

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

template <int ACTIVATION_BITS>
void quantize_blocks(const float* x, size_t cols, ActivationBlock<ACTIVATION_BITS>* blocks) {
  constexpr int PARTS = ACTIVATION_BITS / 8;
  for (size_t first = 0; first < cols; first += 512, blocks++) {
    int8_t values[PARTS][512];
    for (size_t group = 0; group < 16; group++) {
      int16_t q[32];
      const size_t at = first + 32 * group;
      blocks->scales[group] = quantize_group(x, cols, at, ACTIVATION_BITS, q);
      int32_t sums[2] = {0, 0};
      for (int i = 0; i < 32; i++) {
        const int high = PARTS == 1 ? q[i] : high_part(q[i]);
        values[0][32 * group + i] = (int8_t)high;
        sums[0] += high;
        if (PARTS == 2) {
          const int low = q[i] - 256 * high;
          values[PARTS - 1][32 * group + i] = (int8_t)low;
          sums[1] += low;
        }
      }
      for (int part = 0; part < PARTS; part++) blocks->start[part][group] = -128 * sums[part];
    }
    for (int part = 0; part < PARTS; part++) transpose_block(values[part], blocks->values[part]);
  }
}

void quantize_activations(const float* x, size_t cols, int activation_bits, uint8_t* out) {
  if (activation_bits == 8) quantize_blocks<8>(x, cols, (ActivationBlock<8>*)out);
  else quantize_blocks<16>(x, cols, (ActivationBlock<16>*)out);
}

template <int BITS, int ACTIVATION_BITS, int TOKENS>
ALWAYS_INLINE void add_block(const Codes& codes, const ByteTables<BITS>& tables,
                             const ActivationBlock<ACTIVATION_BITS>* const* blocks, size_t k, vf* sums) {
  constexpr int PARTS = ACTIVATION_BITS / 8;
  __m512i highs[TOKENS][PARTS], lows[TOKENS][PARTS];
  for (int t = 0; t < TOKENS; t++) {
    for (int part = 0; part < PARTS; part++) {
      highs[t][part] = _mm512_loadu_si512(blocks[t][k].start[part]);
      lows[t][part] = _mm512_setzero_si512();
    }
  }
#pragma GCC unroll 8
  for (int r = 0; r < 8; r++) {
    const __m512i h = tables.high[(__m512i)codes.r[r]], l = tables.low[(__m512i)codes.r[r]];
    for (int t = 0; t < TOKENS; t++) {
      for (int part = 0; part < PARTS; part++) {
        const __m512i x = _mm512_loadu_si512(blocks[t][k].values[part][r]);
        highs[t][part] = _mm512_dpbusd_epi32(highs[t][part], h, x);
        lows[t][part] = _mm512_dpbusd_epi32(lows[t][part], l, x);
      }
    }
  }
  for (int t = 0; t < TOKENS; t++) {
    __m512 sum = _mm512_cvtepi32_ps(_mm512_add_epi32(_mm512_slli_epi32(highs[t][0], 8), lows[t][0]));
    if constexpr (PARTS == 2) {
      const __m512 fine = _mm512_cvtepi32_ps(_mm512_add_epi32(_mm512_slli_epi32(highs[t][1], 8), lows[t][1]));
      sum = _mm512_fmadd_ps(sum, _mm512_set1_ps(256.0f), fine);
    }
    sums[t] = (vf)_mm512_fmadd_ps(sum, _mm512_loadu_ps(blocks[t][k].scales), (__m512)sums[t]);
  }
}
