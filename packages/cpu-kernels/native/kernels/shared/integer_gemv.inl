// The outer loops of the bit-plane matrix-vector product, for instruction sets with registers of code bytes. Each gives
//   ActivationBlock<ACTIVATION_BITS>  the activations of BLOCK_COLS columns as its inner loop reads them,
//   ByteTables<BITS>                  the two byte tables of a row in registers,
//   add_block<BITS, ACTIVATION_BITS, TOKENS>(codes, tables, blocks, k, sums): adds block k's products to sums[t].

// Every plane is a stream of its own. Bytes to prefetch ahead in the first: together the streams fill what memory needs to
// have on its way, and no more than the first-level cache holds beside the activations. No multiple of 4096, which would put
// the lines that are read and those that come into the same sets.
constexpr size_t prefetch_bytes(int bits) { return bits <= 3 ? 3072 : bits <= 5 ? 2048 : 1536; }

// Further bytes for each following plane. Planes are often a multiple of a large power of two apart: lines at the same place of
// many planes would be asked for of the same memory channel at the same time, so each stream runs channels ahead of the last.
constexpr size_t prefetch_skew(int bits) { return bits == 5 ? 512 : 256; }

template <int BITS, int ACTIVATION_BITS, int TOKENS>
void gemv_rows(const BitPlaneView& w, size_t begin, size_t end, const uint8_t* const* activations, const float* bias,
               float* const* out) {
  const ActivationBlock<ACTIVATION_BITS>* blocks[TOKENS];
  for (int t = 0; t < TOKENS; t++) blocks[t] = (const ActivationBlock<ACTIVATION_BITS>*)activations[t];
  const size_t plane_bytes = w.rows * w.words * sizeof(uint32_t);
  const size_t whole = w.words / BLOCK_WORDS;
  for (size_t row = begin; row < end; row++) {
    const ByteTables<BITS> tables(w.tables + (row << (BITS + 1)));
    vf sums[TOKENS] = {};
    size_t k = 0;
    for (; k < whole; k++) {
      const Codes codes = load_codes<BITS>(w, row, BLOCK_WORDS * k, BLOCK_WORDS);
      const char* ahead = (const char*)(w.planes + row * w.words + BLOCK_WORDS * k) + prefetch_bytes(BITS);
      for (int p = 0; p < BITS; p++) __builtin_prefetch(ahead + p * (plane_bytes + prefetch_skew(BITS)));
      add_block<BITS, ACTIVATION_BITS, TOKENS>(codes, tables, blocks, k, sums);
    }
    if (BLOCK_WORDS * k < w.words) {
      const Codes codes = load_codes<BITS>(w, row, BLOCK_WORDS * k, w.words - BLOCK_WORDS * k);
      add_block<BITS, ACTIVATION_BITS, TOKENS>(codes, tables, blocks, k, sums);
    }
    for (int t = 0; t < TOKENS; t++) {
      float product = w.scales[row] * sum_lanes(sums[t]);
      asm("" : "+m"(product));  // rounded before the bias is added, with and without fma
      out[t][row] = product + (bias ? bias[row] : 0.0f);
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

size_t activation_bytes(size_t cols, int activation_bits) {
  const size_t blocks = (cols + BLOCK_COLS - 1) / BLOCK_COLS;
  return blocks * (activation_bits == 8 ? sizeof(ActivationBlock<8>) : sizeof(ActivationBlock<16>));
}
