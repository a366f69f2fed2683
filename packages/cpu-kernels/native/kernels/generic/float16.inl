// Half precision by integer arithmetic, for machines without conversion instructions.

ALWAYS_INLINE vf load_f16(const uint16_t* p) {
  vh h;
  __builtin_memcpy(&h, p, sizeof h);
  const vu bits = __builtin_convertvector(h, vu);
  // The exponent is rebased by a product with 2^112, which also normalises subnormal halves; then infinity and NaN.
  const vf magnitude = (vf)((bits & 0x7fff) << 13) * 5.192296858534828e33f;
  const vu special = (vu)((bits & 0x7c00) == 0x7c00) & 0x7f800000u;
  return (vf)((vu)magnitude | special | ((bits & 0x8000) << 16));
}

// Nearest half, ties to even; too large becomes infinity.
ALWAYS_INLINE uint16_t half_of(float x) {
  uint32_t u;
  __builtin_memcpy(&u, &x, sizeof u);
  const uint32_t sign = (u >> 16) & 0x8000, magnitude = u & 0x7fffffff;
  if (magnitude > 0x7f800000) return (uint16_t)(sign | 0x7e00);
  if (magnitude >= 0x477ff000) return (uint16_t)(sign | 0x7c00);
  if (magnitude < 0x38800000) {  // subnormal: adding 0.5 leaves multiples of 2^-24 in the low bits
    float f;
    __builtin_memcpy(&f, &magnitude, sizeof f);
    f += 0.5f;
    __builtin_memcpy(&u, &f, sizeof u);
    return (uint16_t)(sign | (u - 0x3f000000));
  }
  return (uint16_t)(sign | ((magnitude + 0xfff + ((magnitude >> 13) & 1) - 0x38000000) >> 13));
}

ALWAYS_INLINE void store_f16(uint16_t* p, vf v) {
  for (size_t l = 0; l < LANES; l++) p[l] = half_of(v[l]);
}
