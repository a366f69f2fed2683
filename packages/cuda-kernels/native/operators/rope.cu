#include "device/launch.h"
#include "kernels/float_types.cuh"
#include "operators/operators.h"

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

// A block for each token and head; the values beyond the rotated pairs are copied.
__global__ void rope_kernel(const float* x, Dense frequencies, const StepParameters* parameters, unsigned head_dim, float scale,
                            float direction, float* out) {
  const size_t head = (static_cast<size_t>(blockIdx.x) * gridDim.y + blockIdx.y) * head_dim;
  const unsigned pairs = static_cast<unsigned>(frequencies.cols);
  const float position = static_cast<float>(parameters->position + blockIdx.x);  // exact below 2^24
  for (unsigned i = threadIdx.x; i < head_dim - pairs; i += blockDim.x) {
    if (i >= pairs) {
      out[head + pairs + i] = x[head + pairs + i];
      continue;
    }
    float sin, cos;
    sincos_of_product(position, load_float(frequencies.data, frequencies.type, i), &sin, &cos);
    sin *= direction * scale;
    cos *= scale;
    const float a = x[head + i], b = x[head + i + pairs];
    out[head + i] = a * cos - b * sin;
    out[head + i + pairs] = a * sin + b * cos;
  }
}

void run(const Rope& op, Execution& e) {
  const dim3 grid(static_cast<unsigned>(e.rows(op.x)), static_cast<unsigned>(e.width(op.x) / op.head_dim));
  launch("rope", rope_kernel, grid, 64, 0, e.stream, e.f32(op.x), e.program.weights[op.frequencies].dense(), e.parameters(),
         static_cast<unsigned>(op.head_dim), op.scale, op.transposed ? -1.0f : 1.0f, e.f32(op.out));
}

}  // namespace dpllm
