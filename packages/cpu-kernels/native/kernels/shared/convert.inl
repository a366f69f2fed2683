// f16 and bf16 to f32 and back. Each instruction set gives load_f16 (LANES halves to a vector) and store_f16.

ALWAYS_INLINE vf load_bf16(const uint16_t* p) {
  vh v;
  __builtin_memcpy(&v, p, sizeof v);
  return (vf)(__builtin_convertvector(v, vu) << 16);
}

template <FloatType TYPE>
ALWAYS_INLINE vf load_as(const void* data, size_t at) {
  if constexpr (TYPE == FloatType::f32) return load((const float*)data + at);
  else if constexpr (TYPE == FloatType::f16) return load_f16((const uint16_t*)data + at);
  else return load_bf16((const uint16_t*)data + at);
}

// The first n < LANES elements; the others are 0.
template <FloatType TYPE>
ALWAYS_INLINE vf load_part_as(const void* data, size_t at, size_t n) {
  if constexpr (TYPE == FloatType::f32) {
    return load_part((const float*)data + at, n);
  } else {
    uint16_t part[LANES] = {};
    __builtin_memcpy(part, (const uint16_t*)data + at, n * sizeof(uint16_t));
    return load_as<TYPE>(part, 0);
  }
}

template <FloatType TYPE>
ALWAYS_INLINE void widen_as(const void* x, float* out, size_t n) {
  size_t i = 0;
  for (; i + LANES <= n; i += LANES) store(out + i, load_as<TYPE>(x, i));
  if (i < n) store_part(out + i, load_part_as<TYPE>(x, i, n - i), n - i);
}

void widen(FloatType type, const void* x, float* out, size_t n) {
  switch (type) {
    case FloatType::f32: __builtin_memcpy(out, x, n * sizeof(float)); return;
    case FloatType::f16: return widen_as<FloatType::f16>(x, out, n);
    case FloatType::bf16: return widen_as<FloatType::bf16>(x, out, n);
  }
}

void narrow_f16(const float* x, uint16_t* out, size_t n) {
  size_t i = 0;
  for (; i + LANES <= n; i += LANES) store_f16(out + i, load(x + i));
  if (i < n) {
    uint16_t part[LANES];
    store_f16(part, load_part(x + i, n - i));
    __builtin_memcpy(out + i, part, (n - i) * sizeof(uint16_t));
  }
}
