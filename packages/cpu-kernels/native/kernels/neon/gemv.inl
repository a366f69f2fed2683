// The inner loop of the bit-plane matrix-vector product: lookups by tbl, products by smlal.
//
// High and low bytes of the centroids z are looked up apart and zipped to 16-bit integers. The zipped vectors hold bytes
// 0-7 and 8-15 of the codes, so each half of them, 4 integers, is of one group of 32 columns: four sums, one per group.
// 16-bit activations x = 256 a + b are two 8-bit ones, so that group sums are exact in 32 bits.

// Activations of 128 columns.
template <int ACTIVATION_BITS>
struct ActivationBlock {
  static constexpr int PARTS = ACTIVATION_BITS / 8;
  int16_t values[PARTS][8][16];  // [a, b][register][byte]
  float scales[4];               // per group; 0 past the end of the vector
};

template <int ACTIVATION_BITS>
void quantize_blocks(const float* x, size_t cols, ActivationBlock<ACTIVATION_BITS>* blocks) {
  for (size_t first = 0; first < cols; first += BLOCK_COLS, blocks++) {
    int16_t q[BLOCK_COLS];
    for (size_t group = 0; group < 4; group++) {
      blocks->scales[group] = quantize_group(x, cols, first + 32 * group, ACTIVATION_BITS, q + 32 * group);
    }
    for (int r = 0; r < 8; r++) {
      for (int j = 0; j < 16; j++) {
        const int16_t value = q[8 * j + CODE_COLUMN[r]];
        if constexpr (ACTIVATION_BITS == 8) {
          blocks->values[0][r][j] = value;
        } else {
          blocks->values[0][r][j] = (int16_t)high_part(value);
          blocks->values[1][r][j] = (int16_t)(value - 256 * high_part(value));
        }
      }
    }
  }
}

void quantize_activations(const float* x, size_t cols, int activation_bits, uint8_t* out) {
  if (activation_bits == 8) quantize_blocks<8>(x, cols, (ActivationBlock<8>*)out);
  else quantize_blocks<16>(x, cols, (ActivationBlock<16>*)out);
}

// A table of 2^BITS bytes; codes have no bits but their own. An index past a table gives 0 (tbl) or keeps what was (tbx).
template <int BITS>
struct ByteTable {
  static constexpr int PARTS = BITS <= 4 ? 1 : 1 << (BITS - 4);
  uint8x16_t part[PARTS];

  ALWAYS_INLINE ByteTable(const uint8_t* p, int flip) {
    for (int i = 0; i < PARTS; i++) {
      uint8_t entries[16] = {};
      __builtin_memcpy(entries, p + 16 * i, BITS < 4 ? 1 << BITS : 16);
      part[i] = veorq_u8(vld1q_u8(entries), vdupq_n_u8((uint8_t)flip));
    }
  }

  ALWAYS_INLINE uint8x16_t operator[](uint8x16_t codes) const {
    if constexpr (BITS <= 4) {
      return vqtbl1q_u8(part[0], codes);
    } else if constexpr (BITS == 5) {
      return vqtbl2q_u8((uint8x16x2_t){{part[0], part[1]}}, codes);
    } else {
      uint8x16_t found = vqtbl4q_u8((uint8x16x4_t){{part[0], part[1], part[2], part[3]}}, codes);
      for (int i = 4; i < PARTS; i += 4) {
        codes = vsubq_u8(codes, vdupq_n_u8(64));
        found = vqtbx4q_u8(found, (uint8x16x4_t){{part[i], part[i + 1], part[i + 2], part[i + 3]}}, codes);
      }
      return found;
    }
  }
};

// The centroids z: high bytes with their top bit turned, so that the 16-bit number is signed.
template <int BITS>
struct ByteTables {
  ByteTable<BITS> high, low;
  ALWAYS_INLINE explicit ByteTables(const uint8_t* p) : high(p, 0x80), low(p + (1 << BITS), 0) {}
};

// Sums of four vectors, in order.
ALWAYS_INLINE float32x4_t group_sums(const int32x4_t* s) {
  return vcvtq_f32_s32(vpaddq_s32(vpaddq_s32(s[0], s[1]), vpaddq_s32(s[2], s[3])));
}

template <int BITS, int ACTIVATION_BITS, int TOKENS>
ALWAYS_INLINE void add_block(const Codes& codes, const ByteTables<BITS>& tables,
                             const ActivationBlock<ACTIVATION_BITS>* const* blocks, size_t k, vf* sums) {
  constexpr int PARTS = ACTIVATION_BITS / 8;
  int32x4_t products[TOKENS][PARTS][4];
  for (int t = 0; t < TOKENS; t++) {
    for (int part = 0; part < PARTS; part++) {
      for (int g = 0; g < 4; g++) products[t][part][g] = vdupq_n_s32(0);
    }
  }
  for (int r = 0; r < 8; r++) {
    const uint8x16_t code = vandq_u8((uint8x16_t)codes.r[r], vdupq_n_u8((1 << BITS) - 1));
    const uint8x16_t high = tables.high[code], low = tables.low[code];
    const int16x8_t z0 = vreinterpretq_s16_u8(vzip1q_u8(low, high)), z1 = vreinterpretq_s16_u8(vzip2q_u8(low, high));
    for (int t = 0; t < TOKENS; t++) {
      for (int part = 0; part < PARTS; part++) {
        int32x4_t* s = products[t][part];
        const int16x8_t x0 = vld1q_s16(blocks[t][k].values[part][r]), x1 = vld1q_s16(blocks[t][k].values[part][r] + 8);
        s[0] = vmlal_s16(s[0], vget_low_s16(z0), vget_low_s16(x0));
        s[1] = vmlal_high_s16(s[1], z0, x0);
        s[2] = vmlal_s16(s[2], vget_low_s16(z1), vget_low_s16(x1));
        s[3] = vmlal_high_s16(s[3], z1, x1);
      }
    }
  }
  for (int t = 0; t < TOKENS; t++) {
    float32x4_t sum = group_sums(products[t][0]);
    if constexpr (PARTS == 2) sum = vfmaq_n_f32(group_sums(products[t][1]), sum, 256.0f);
    sums[t] = (vf)vfmaq_f32((float32x4_t)sums[t], sum, vld1q_f32(blocks[t][k].scales));
  }
}
