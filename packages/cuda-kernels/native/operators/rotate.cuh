#pragma once
#include "kernels/float_types.cuh"

namespace dpllm {

// Sine and cosine of position * frequency. The product of two floats is the sum of two, so that the angle keeps its last
// digits at far positions without doubles, which most GPUs have few units for: sin(a + b) = sin a + b cos a for tiny b.
__device__ __forceinline__ void sincos_of_product(float position, float frequency, float* sin, float* cos) {
  const float angle = position * frequency, rest = fmaf(position, frequency, -angle);
  float s, c;
  sincosf(angle, &s, &c);
  *sin = fmaf(rest, c, s);
  *cos = fmaf(-rest, s, c);
}

// The rotary embedding of one head; direction -1 turns back.
struct Rotation {
  Dense frequencies;  // [1, rotated pairs]
  unsigned head_dim;
  float scale, direction;
};

// The threads of a block rotate one head x -> out at a position; the values beyond the rotated pairs are copied.
template <class T>
__device__ __forceinline__ void rotate_head(const Rotation& r, const float* x, uint32_t at, T* out) {
  const unsigned pairs = static_cast<unsigned>(r.frequencies.cols);
  const float position = static_cast<float>(at);  // exact below 2^24
  for (unsigned i = threadIdx.x; i < r.head_dim - pairs; i += blockDim.x) {
    if (i >= pairs) {
      store_float(out + pairs + i, x[pairs + i]);
      continue;
    }
    float sin, cos;
    sincos_of_product(position, load_float(r.frequencies.data, r.frequencies.type, i), &sin, &cos);
    sin *= r.direction * r.scale;
    cos *= r.scale;
    const float a = x[i], b = x[i + pairs];
    store_float(out + i, a * cos - b * sin);
    store_float(out + i + pairs, a * sin + b * cos);
  }
}

}  // namespace dpllm
