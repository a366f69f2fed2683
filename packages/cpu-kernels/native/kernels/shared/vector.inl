// Vectors of f32 by the compiler's vector extensions, so that the loops in this folder are written once and compiled
// for every instruction set. Each kernels/<isa>/kernels.cpp defines VECTOR_BYTES and includes these files inside its
// own anonymous namespace; nothing here may call an inline function of a shared header.

#define ALWAYS_INLINE inline __attribute__((always_inline))

constexpr size_t LANES = VECTOR_BYTES / 4;
typedef float vf __attribute__((vector_size(VECTOR_BYTES)));
typedef int32_t vi __attribute__((vector_size(VECTOR_BYTES)));
typedef uint32_t vu __attribute__((vector_size(VECTOR_BYTES)));
typedef uint16_t vh __attribute__((vector_size(VECTOR_BYTES / 2)));
typedef uint16_t vw __attribute__((vector_size(VECTOR_BYTES)));

ALWAYS_INLINE vf load(const float* p) {
  vf v;
  __builtin_memcpy(&v, p, sizeof v);
  return v;
}

ALWAYS_INLINE void store(float* p, vf v) { __builtin_memcpy(p, &v, sizeof v); }

ALWAYS_INLINE vf splat(float x) { return x - vf{}; }

// The first n < LANES elements; the others are 0.
ALWAYS_INLINE vf load_part(const float* p, size_t n) {
  vf v = {};
  __builtin_memcpy(&v, p, n * sizeof(float));
  return v;
}

ALWAYS_INLINE void store_part(float* p, vf v, size_t n) { __builtin_memcpy(p, &v, n * sizeof(float)); }

ALWAYS_INLINE float sum_lanes(vf v) {
  float lanes[LANES];
  store(lanes, v);
  for (size_t half = LANES / 2; half > 0; half /= 2) {
    for (size_t i = 0; i < half; i++) lanes[i] += lanes[i + half];
  }
  return lanes[0];
}

// Of two vectors one after the other, the elements at even and at odd places.
#if VECTOR_BYTES == 64
#define EVEN_PLACES 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30
#define ODD_PLACES 1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31
#elif VECTOR_BYTES == 32
#define EVEN_PLACES 0, 2, 4, 6, 8, 10, 12, 14
#define ODD_PLACES 1, 3, 5, 7, 9, 11, 13, 15
#else
#define EVEN_PLACES 0, 2, 4, 6
#define ODD_PLACES 1, 3, 5, 7
#endif
#if defined(__clang__)
#define PICK(a, b, ...) __builtin_shufflevector(a, b, __VA_ARGS__)
#else
#define PICK(a, b, ...) __builtin_shuffle(a, b, vi{__VA_ARGS__})
#endif

// Lane l: the sum of the lanes of v[l], for LANES vectors; they are overwritten.
ALWAYS_INLINE vf sum_each(vf* v) {
#pragma GCC unroll 4
  for (size_t n = LANES / 2; n > 0; n /= 2) {
#pragma GCC unroll 8
    for (size_t i = 0; i < n; i++) v[i] = PICK(v[2 * i], v[2 * i + 1], EVEN_PLACES) + PICK(v[2 * i], v[2 * i + 1], ODD_PLACES);
  }
  return v[0];
}

// mask (all ones or zeros) ? a : b
ALWAYS_INLINE vf choose(vi mask, vf a, vf b) { return (vf)(((vi)a & mask) | ((vi)b & ~mask)); }

// e^x to about 1.5 ulp; 0 below -103, infinity above 89, NaN for NaN. x = n ln 2 + r, a polynomial for e^r (Cody and
// Waite reduction, Taylor coefficients to degree 7: |r| <= 0.347 leaves 1e-8), and 2^n in two factors.
ALWAYS_INLINE vf exp_vector(vf x) {
  const vf low = splat(-104.0f), high = splat(89.0f);
  vf clamped = choose(x < low, low, x);
  clamped = choose(clamped > high, high, clamped);
  const vf magic = splat(12582912.0f);  // 1.5 * 2^23: adding it rounds to an integer in the low bits
  const vf shifted = clamped * 1.44269504088896341f + magic;
  const vf n = shifted - magic;
  const vi exponent = (vi)shifted - 0x4B400000;
  const vf r = (clamped - n * 0.693145751953125f) - n * 1.428606765330187e-6f;
  vf p = splat(1.9841269841e-4f);
  p = p * r + 1.3888888889e-3f;
  p = p * r + 8.3333333333e-3f;
  p = p * r + 4.1666666667e-2f;
  p = p * r + 1.6666666667e-1f;
  p = p * r + 0.5f;
  p = p * (r * r) + r + 1.0f;
  const vi half = exponent >> 1;
  return p * (vf)((half + 127) << 23) * (vf)((exponent - half + 127) << 23);
}
