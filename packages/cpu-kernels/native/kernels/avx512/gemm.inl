// Bit-plane matrix times many vectors of integers: the matrix-vector product's arithmetic, bit for bit, on tiles of
// centroid bytes that are looked up once and meet all tokens.
//
// As there, int32 lane l of a product holds group l's sum, so that one conversion and one fma with 16 scales finish 512
// columns. Sums of a tile stay 16 lanes of f32 for each row and token, added to block by block, until a row ends.

constexpr size_t GEMM_ROWS = 16;     // one register of results
constexpr size_t GEMM_BLOCKS = 2;    // with 16 rows 32 KiB of bytes: they stay in the first-level cache,
constexpr size_t GEMM_TOKENS = 128;  // and 128 KiB of sums in the second
constexpr int MICRO_TOKENS = 4;

// Rows that meet MICRO_TOKENS tokens at once: with sums of high and low bytes, or of high ones alone, 16 of 32 registers.
template <bool LOWS>
constexpr int MICRO_ROWS = LOWS ? 2 : 4;

// Tokens up to which reading planes from memory counts: one block at a time asks for the next lines more evenly. Where centroids
// are bytes, rows also meet all tokens as soon as there are enough for the registers, so that lines come while others are
// multiplied; with two bytes the products take longer than the lines.
constexpr size_t GEMM_FEW_TOKENS = 16;

// The centroid bytes of a row's block: [register][high, low][byte].
struct WeightBlock {
  uint8_t bytes[8][2][64];
};

struct GemmScratch {
  WeightBlock tile[GEMM_ROWS * GEMM_BLOCKS];  // [row][block]
  vf sums[GEMM_TOKENS / MICRO_TOKENS][GEMM_ROWS][MICRO_TOKENS];
};
constexpr size_t bit_plane_gemm_scratch = sizeof(GemmScratch);

// Blocks first .. first + blocks - 1 of `rows` rows from `row` on; past `end` the last row again.
template <int BITS>
void decode_tile(const BitPlaneView& w, size_t row, size_t rows, size_t end, size_t first, size_t blocks, WeightBlock* tile) {
  const size_t plane_bytes = w.rows * w.words * sizeof(uint32_t);
  const size_t ahead = GEMM_ROWS * w.words * sizeof(uint32_t);  // the same columns of the next tile of rows
  for (size_t i = 0; i < rows; i++) {
    const size_t r = row + i < end ? row + i : end - 1;
    const ByteTables<BITS> tables(w.tables + (r << (BITS + 1)));
    for (size_t k = 0; k < blocks; k++) {
      const size_t word = BLOCK_WORDS * (first + k);
      const Codes codes = load_codes<BITS>(w, r, word, words_of_block(w.words, word));
      const char* next = (const char*)(w.planes + r * w.words + word) + ahead;
      for (int p = 0; p < BITS; p++) __builtin_prefetch(next + p * plane_bytes);
#pragma GCC unroll 8
      for (int j = 0; j < 8; j++) {
        _mm512_storeu_si512(tile[i * GEMM_BLOCKS + k].bytes[j][0], tables.high[(__m512i)codes.r[j]]);
        if constexpr (HAS_LOWS<BITS, 8>) _mm512_storeu_si512(tile[i * GEMM_BLOCKS + k].bytes[j][1], tables.low[(__m512i)codes.r[j]]);
      }
    }
  }
}

// Adds the products of MICRO_ROWS rows' blocks, w[0], w[GEMM_BLOCKS] …, with TOKENS tokens' to sums [row][MICRO_TOKENS].
template <int TOKENS, bool LOWS>
ALWAYS_INLINE void multiply_blocks(const WeightBlock* w, const ActivationBlock<8>* const* x, size_t block, vf sums[][MICRO_TOKENS]) {
  constexpr int ROWS = MICRO_ROWS<LOWS>;
  __m512i highs[ROWS][TOKENS], lows[ROWS][TOKENS];
#pragma GCC unroll 4
  for (int t = 0; t < TOKENS; t++) {
#pragma GCC unroll 4
    for (int r = 0; r < ROWS; r++) {
      highs[r][t] = _mm512_loadu_si512(x[t][block].start[0]);
      lows[r][t] = _mm512_setzero_si512();
    }
  }
#pragma GCC unroll 8
  for (int j = 0; j < 8; j++) {
    __m512i h[ROWS], l[ROWS];
#pragma GCC unroll 4
    for (int r = 0; r < ROWS; r++) {
      h[r] = _mm512_loadu_si512(w[r * GEMM_BLOCKS].bytes[j][0]);
      if constexpr (LOWS) l[r] = _mm512_loadu_si512(w[r * GEMM_BLOCKS].bytes[j][1]);
    }
#pragma GCC unroll 4
    for (int t = 0; t < TOKENS; t++) {
      const __m512i values = _mm512_loadu_si512(x[t][block].values[0][j]);
#pragma GCC unroll 4
      for (int r = 0; r < ROWS; r++) {
        highs[r][t] = _mm512_dpbusd_epi32(highs[r][t], h[r], values);
        if constexpr (LOWS) lows[r][t] = _mm512_dpbusd_epi32(lows[r][t], l[r], values);
      }
    }
  }
#pragma GCC unroll 4
  for (int r = 0; r < ROWS; r++) {
#pragma GCC unroll 4
    for (int t = 0; t < TOKENS; t++) {
      __m512i whole = _mm512_slli_epi32(highs[r][t], 8);
      if constexpr (LOWS) whole = _mm512_add_epi32(whole, lows[r][t]);
      const __m512 sum = _mm512_cvtepi32_ps(whole);
      sums[r][t] = (vf)_mm512_fmadd_ps(sum, _mm512_loadu_ps(x[t][block].scales), (__m512)sums[r][t]);
    }
  }
}

// The blocks of a tile of `rows` rows, from `first` of the matrix on, times TOKENS tokens, whose blocks are `stride` apart.
template <int TOKENS, bool LOWS>
void multiply_tokens(const WeightBlock* tile, size_t rows, size_t first, size_t blocks, const ActivationBlock<8>* const* x,
                     size_t stride, vf sums[][MICRO_TOKENS]) {
  for (size_t r = 0; r < rows; r += MICRO_ROWS<LOWS>) {
    for (size_t k = 0; k < blocks; k++) {
      multiply_blocks<TOKENS, LOWS>(tile + r * GEMM_BLOCKS + k, x, (first + k) * stride, sums + r);
    }
  }
}

// Lane r: the sum of the lanes of sums[r][token], added up in the order of sum_lanes.
ALWAYS_INLINE __m512 sum_lanes_of_rows(const vf sums[][MICRO_TOKENS], size_t token) {
  const auto v = [&](int r) { return (__m512)sums[r][token]; };
  __m512 quarters[4], halves[2];
#pragma GCC unroll 4
  for (int i = 0; i < 4; i++) {
    const __m512 a = v(i), b = v(i + 4), c = v(i + 8), d = v(i + 12);
    const __m512 ab = _mm512_add_ps(_mm512_shuffle_f32x4(a, b, 0x44), _mm512_shuffle_f32x4(a, b, 0xEE));
    const __m512 cd = _mm512_add_ps(_mm512_shuffle_f32x4(c, d, 0x44), _mm512_shuffle_f32x4(c, d, 0xEE));
    quarters[i] = _mm512_add_ps(_mm512_shuffle_f32x4(ab, cd, 0x88), _mm512_shuffle_f32x4(ab, cd, 0xDD));
  }
#pragma GCC unroll 2
  for (int i = 0; i < 2; i++) {
    const __m512d a = (__m512d)quarters[2 * i], b = (__m512d)quarters[2 * i + 1];
    halves[i] = _mm512_add_ps((__m512)_mm512_unpacklo_pd(a, b), (__m512)_mm512_unpackhi_pd(a, b));
  }
  return _mm512_add_ps(_mm512_shuffle_ps(halves[0], halves[1], 0x88), _mm512_shuffle_ps(halves[0], halves[1], 0xDD));
}

void bit_plane_gemm(const BitPlaneView& w, size_t begin, size_t end, const ActivationPanels& x, const float* bias, float* out,
                    uint8_t* scratch) {
  static_assert(TILE_COLS == BLOCK_COLS, "a panel holds one block of each token");
  static constexpr decltype(&decode_tile<1>) decoders[] = {decode_tile<1>, decode_tile<2>, decode_tile<3>, decode_tile<4>,
                                                           decode_tile<5>, decode_tile<6>, decode_tile<7>, decode_tile<8>};
  static constexpr decltype(&multiply_tokens<1, true>) multipliers[2][MICRO_TOKENS] = {
      {multiply_tokens<1, false>, multiply_tokens<2, false>, multiply_tokens<3, false>, multiply_tokens<4, false>},
      {multiply_tokens<1, true>, multiply_tokens<2, true>, multiply_tokens<3, true>, multiply_tokens<4, true>}};
  GemmScratch& s = *(GemmScratch*)scratch;
  const size_t blocks = (w.words + BLOCK_WORDS - 1) / BLOCK_WORDS;
  const bool few = x.count <= GEMM_FEW_TOKENS, lows = w.bits > BYTE_CENTROID_BITS;
  const size_t blocks_at_once = few ? 1 : GEMM_BLOCKS, rows_at_once = few && !lows ? MICRO_ROWS<false> : GEMM_ROWS;
  const auto token = [&](size_t t) { return x.tokens ? x.tokens[t] : t; };
  for (size_t first_token = 0; first_token < x.count; first_token += GEMM_TOKENS) {
    const size_t tokens = x.count - first_token < GEMM_TOKENS ? x.count - first_token : GEMM_TOKENS;
    const size_t groups = (tokens + MICRO_TOKENS - 1) / MICRO_TOKENS;
    for (size_t row = begin; row < end; row += GEMM_ROWS) {
      __builtin_memset((void*)s.sums, 0, groups * sizeof s.sums[0]);
      for (size_t k = 0; k < blocks; k += blocks_at_once) {
        const size_t count = blocks - k < blocks_at_once ? blocks - k : blocks_at_once;
        for (size_t r = 0; r < GEMM_ROWS; r += rows_at_once) {
          decoders[w.bits - 1](w, row + r, rows_at_once, end, k, count, s.tile);
          for (size_t g = 0; g < groups; g++) {
            const ActivationBlock<8>* first_blocks[MICRO_TOKENS];
            const size_t in_group = tokens - g * MICRO_TOKENS < MICRO_TOKENS ? tokens - g * MICRO_TOKENS : MICRO_TOKENS;
            for (size_t t = 0; t < in_group; t++) {
              first_blocks[t] = (const ActivationBlock<8>*)x.data + token(first_token + g * MICRO_TOKENS + t);
            }
            multipliers[lows][in_group - 1](s.tile, rows_at_once, k, count, first_blocks, x.rows, s.sums[g] + r);
          }
        }
      }
      const __mmask16 rows = end - row < GEMM_ROWS ? (__mmask16)((1u << (end - row)) - 1) : 0xffff;
      const __m512 scales = _mm512_maskz_loadu_ps(rows, w.scales + row);
      const __m512 biases = bias ? _mm512_maskz_loadu_ps(rows, bias + row) : _mm512_setzero_ps();
      for (size_t t = 0; t < tokens; t++) {
        __m512 product = _mm512_mul_ps(scales, sum_lanes_of_rows(s.sums[t / MICRO_TOKENS], t % MICRO_TOKENS));
        asm("" : "+v"(product));  // rounded before the bias is added, as the matrix-vector product does
        _mm512_mask_storeu_ps(out + token(first_token + t) * w.rows + row, rows, _mm512_add_ps(product, biases));
      }
    }
  }
}
