// The inner loop of the bit-plane matrix-vector product: lookups by vpshufb, products by vpmaddwd.
//
// High and low bytes of the centroids z are looked up apart and interleaved to 16-bit integers, which meet 16-bit
// activations; a horizontal addition then leaves the sums of the block's 8 groups of 32 columns in order. 16-bit
// activations x = 256 a + b are two 8-bit ones, so that group sums are exact in 32 bits.

// Activations of 256 columns.
template <int ACTIVATION_BITS>
struct ActivationBlock {
  static constexpr int PARTS = ACTIVATION_BITS / 8;
  int16_t values[PARTS][8][2][16];  // [a, b][register][what vpunpcklbw, vpunpckhbw interleave]
  float scales[8];                  // per group; 0 past the end of the vector
};

template <int ACTIVATION_BITS>
void quantize_blocks(const float* x, size_t cols, ActivationBlock<ACTIVATION_BITS>* blocks) {
  constexpr int PARTS = ACTIVATION_BITS / 8;
  for (size_t first = 0; first < cols; first += BLOCK_COLS, blocks++) {
    int16_t q[BLOCK_COLS];
    for (size_t group = 0; group < 8; group++) {
      blocks->scales[group] = quantize_group(x, cols, first + 32 * group, ACTIVATION_BITS, q + 32 * group);
    }
    for (int r = 0; r < 8; r++) {
      for (int j = 0; j < 32; j++) {  // bytes 0-7 and 16-23 come from the low halves of the lanes, the others from the high
        const int16_t value = q[8 * j + CODE_COLUMN[r]];
        const int half = j / 8 % 2, place = j / 16 * 8 + j % 8;
        if constexpr (PARTS == 1) {
          blocks->values[0][r][half][place] = value;
        } else {
          blocks->values[0][r][half][place] = (int16_t)high_part(value);
          blocks->values[1][r][half][place] = (int16_t)(value - 256 * high_part(value));
        }
      }
    }
  }
}

void quantize_activations(const float* x, size_t cols, int activation_bits, uint8_t* out) {
  if (activation_bits == 8) quantize_blocks<8>(x, cols, (ActivationBlock<8>*)out);
  else quantize_blocks<16>(x, cols, (ActivationBlock<16>*)out);
}

// A table of 2^BITS bytes as 16-entry shuffles; bits 4 and above of a code choose between them.
template <int BITS>
struct ByteTable {
  static constexpr int PARTS = BITS <= 4 ? 1 : 1 << (BITS - 4);
  __m256i part[PARTS];

  ALWAYS_INLINE ByteTable(const uint8_t* p, int flip) {
    for (int i = 0; i < PARTS; i++) {
      uint8_t entries[16];
      for (int e = 0; e < 16; e++) entries[e] = (uint8_t)(p[16 * i + (BITS < 4 ? e % (1 << BITS) : e)] ^ flip);
      part[i] = _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i*)entries));
    }
  }

  // low: the codes' low 4 bits; codes: bits 4 .. BITS - 1 are looked at.
  ALWAYS_INLINE __m256i lookup(__m256i low, __m256i codes) const {
    __m256i found[PARTS];
    for (int i = 0; i < PARTS; i++) found[i] = _mm256_shuffle_epi8(part[i], low);
#pragma GCC unroll 4
    for (int bit = 4; bit < BITS; bit++) {
      const __m256i choice = _mm256_slli_epi16(codes, 7 - bit);  // the blend reads the top bit of each byte
      for (int i = 0; i < PARTS >> (bit - 3); i++) found[i] = _mm256_blendv_epi8(found[2 * i], found[2 * i + 1], choice);
    }
    return found[0];
  }
};

// The centroids z: high bytes with their top bit turned, so that the 16-bit number is signed.
template <int BITS>
struct ByteTables {
  ByteTable<BITS> high, low;
  ALWAYS_INLINE explicit ByteTables(const uint8_t* p) : high(p, 0x80), low(p + (1 << BITS), 0) {}
};

template <int BITS, int ACTIVATION_BITS, int TOKENS>
ALWAYS_INLINE void add_block(const Codes& codes, const ByteTables<BITS>& tables,
                             const ActivationBlock<ACTIVATION_BITS>* const* blocks, size_t k, vf* sums) {
  constexpr int PARTS = ACTIVATION_BITS / 8;
  __m256i products[TOKENS][PARTS][2] = {};
  for (int r = 0; r < 8; r++) {
    const __m256i code = (__m256i)codes.r[r], nibble = _mm256_and_si256(code, _mm256_set1_epi8(0x0f));
    const __m256i high = tables.high.lookup(nibble, code), low = tables.low.lookup(nibble, code);
    const __m256i z[2] = {_mm256_unpacklo_epi8(low, high), _mm256_unpackhi_epi8(low, high)};
    for (int t = 0; t < TOKENS; t++) {
      for (int part = 0; part < PARTS; part++) {
        for (int half = 0; half < 2; half++) {
          const __m256i x = _mm256_loadu_si256((const __m256i*)blocks[t][k].values[part][r][half]);
          products[t][part][half] = _mm256_add_epi32(products[t][part][half], _mm256_madd_epi16(z[half], x));
        }
      }
    }
  }
  for (int t = 0; t < TOKENS; t++) {
    __m256 sum = _mm256_cvtepi32_ps(_mm256_hadd_epi32(products[t][0][0], products[t][0][1]));
    if constexpr (PARTS == 2) {
      const __m256 fine = _mm256_cvtepi32_ps(_mm256_hadd_epi32(products[t][1][0], products[t][1][1]));
      sum = _mm256_fmadd_ps(sum, _mm256_set1_ps(256.0f), fine);
    }
    sums[t] = (vf)_mm256_fmadd_ps(sum, _mm256_loadu_ps(blocks[t][k].scales), (__m256)sums[t]);
  }
}
