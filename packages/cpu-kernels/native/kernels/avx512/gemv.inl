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

size_t activation_bytes(size_t cols, int activation_bits) {
  const size_t blocks = (cols + 511) / 512;
  return blocks * (activation_bits == 8 ? sizeof(ActivationBlock<8>) : sizeof(ActivationBlock<16>));
}

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

// Bytes to prefetch ahead in every plane (measured: docs of the layout, one stream per plane).
template <int BITS>
constexpr size_t PREFETCH_BYTES = BITS <= 4 ? 8192 : 2048;

template <int BITS, int ACTIVATION_BITS, int TOKENS>
ALWAYS_INLINE void add_block(const Codes& codes, const ByteTable<BITS>& high, const ByteTable<BITS>& low,
                             const ActivationBlock<ACTIVATION_BITS>* const* blocks, size_t k, __m512* sums) {
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
    const __m512i h = high[codes.r[r]], l = low[codes.r[r]];
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
    sums[t] = _mm512_fmadd_ps(sum, _mm512_loadu_ps(blocks[t][k].scales), sums[t]);
  }
}

template <int BITS, int ACTIVATION_BITS, int TOKENS>
void gemv_rows(const BitPlaneView& w, size_t begin, size_t end, const uint8_t* const* activations, const float* bias,
               float* const* out) {
  const ActivationBlock<ACTIVATION_BITS>* blocks[TOKENS];
  for (int t = 0; t < TOKENS; t++) blocks[t] = (const ActivationBlock<ACTIVATION_BITS>*)activations[t];
  const size_t plane_bytes = w.rows * w.words * sizeof(uint32_t);
  const size_t whole = w.words / BLOCK_WORDS;
  for (size_t row = begin; row < end; row++) {
    const uint8_t* tables = w.tables + (row << (BITS + 1));
    const ByteTable<BITS> high(tables), low(tables + (1 << BITS));
    __m512 sums[TOKENS];
    for (int t = 0; t < TOKENS; t++) sums[t] = _mm512_setzero_ps();
    size_t k = 0;
    for (; k < whole; k++) {
      const Codes codes = load_codes<BITS>(w, row, BLOCK_WORDS * k, 0xffff);
      const char* ahead = (const char*)(w.planes + row * w.words + BLOCK_WORDS * k) + PREFETCH_BYTES<BITS>;
      for (int p = 0; p < BITS; p++) _mm_prefetch(ahead + p * plane_bytes, _MM_HINT_T0);
      add_block<BITS, ACTIVATION_BITS, TOKENS>(codes, high, low, blocks, k, sums);
    }
    if (BLOCK_WORDS * k < w.words) {
      const Codes codes = load_codes<BITS>(w, row, BLOCK_WORDS * k, word_mask(w.words, BLOCK_WORDS * k));
      add_block<BITS, ACTIVATION_BITS, TOKENS>(codes, high, low, blocks, k, sums);
    }
    for (int t = 0; t < TOKENS; t++) {
      out[t][row] = w.scales[row] * _mm512_reduce_add_ps(sums[t]) + (bias ? bias[row] : 0.0f);
    }
  }
}

template <int BITS, int ACTIVATION_BITS>
void gemv_tokens(const BitPlaneView& w, size_t begin, size_t end, const uint8_t* const* x, int tokens, const float* bias,
                 float* const* out) {
  switch (tokens) {
    case 1: return gemv_rows<BITS, ACTIVATION_BITS, 1>(w, begin, end, x, bias, out);
    case 2: return gemv_rows<BITS, ACTIVATION_BITS, 2>(w, begin, end, x, bias, out);
    case 3: return gemv_rows<BITS, ACTIVATION_BITS, 3>(w, begin, end, x, bias, out);
    case 4: return gemv_rows<BITS, ACTIVATION_BITS, 4>(w, begin, end, x, bias, out);
  }
}

template <int BITS>
void gemv_bits(const BitPlaneView& w, size_t begin, size_t end, const uint8_t* const* x, int tokens, int activation_bits,
               const float* bias, float* const* out) {
  if (activation_bits == 8) gemv_tokens<BITS, 8>(w, begin, end, x, tokens, bias, out);
  else gemv_tokens<BITS, 16>(w, begin, end, x, tokens, bias, out);
}

void bit_plane_gemv(const BitPlaneView& w, size_t begin, size_t end, const uint8_t* const* activations, int tokens,
                    int activation_bits, const float* bias, float* const* out) {
  static constexpr decltype(&gemv_bits<1>) by_bits[] = {gemv_bits<1>, gemv_bits<2>, gemv_bits<3>, gemv_bits<4>,
                                                        gemv_bits<5>, gemv_bits<6>, gemv_bits<7>, gemv_bits<8>};
  by_bits[w.bits - 1](w, begin, end, activations, tokens, activation_bits, bias, out);
}
