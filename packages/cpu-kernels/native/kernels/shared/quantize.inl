// Integer activations: the same numbers on every instruction set.

// Groups of 32 columns have one scale: the largest magnitude maps to 127, or to 32512 = 127 * 256, so that both parts
// of a 16-bit value fit in 8 bits.
ALWAYS_INLINE float largest_integer(int activation_bits) { return activation_bits == 8 ? 127.0f : 32512.0f; }

// The signed 8-bit high part a of q = 256 a + b with -128 <= b <= 127.
ALWAYS_INLINE int high_part(int q) { return (q + 128) >> 8; }

// Rounds columns at .. at + 31 of x [cols] (0 past its end) to integers; returns the scale, NaN if a value is not finite.
ALWAYS_INLINE float quantize_group(const float* x, size_t cols, size_t at, int activation_bits, int16_t* q) {
  float values[32] = {};
  if (at < cols) __builtin_memcpy(values, x + at, (cols - at < 32 ? cols - at : 32) * sizeof(float));
  vf largest = {}, poison = {};
  for (size_t i = 0; i < 32; i += LANES) {
    const vf v = load(values + i);
    const vf magnitude = (vf)((vi)v & 0x7fffffff);
    largest = choose(magnitude > largest, magnitude, largest);
    poison += v * 0.0f;
  }
  float lanes[LANES];
  store(lanes, largest);
  float max_magnitude = 0.0f;
  for (size_t l = 0; l < LANES; l++) max_magnitude = lanes[l] > max_magnitude ? lanes[l] : max_magnitude;
  const float top = largest_integer(activation_bits);
  // Below the smallest normal number the reciprocal would overflow; such a group is 0.
  const bool empty = !(max_magnitude >= 1.17549435e-38f);
  const float inverse = empty ? 0.0f : top / max_magnitude;
  const vf magic = splat(12582912.0f);  // 1.5 * 2^23: adding it rounds to an integer, ties to even
  for (size_t i = 0; i < 32; i += LANES) {
    vf scaled = load(values + i) * inverse;
    asm("" : "+m"(scaled));  // keeps product and sum apart, for the same rounding with and without fma
    const vi rounded = (vi)(scaled + magic) - 0x4B400000;
    for (size_t l = 0; l < LANES; l++) q[i + l] = (int16_t)rounded[l];
  }
  return (empty ? 0.0f : max_magnitude / top) + sum_lanes(poison);
}
