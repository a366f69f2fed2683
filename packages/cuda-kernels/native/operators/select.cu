#include "device/launch.h"
#include "kernels/reduce.cuh"
#include "operators/operators.h"
#include "operators/product.h"

namespace dpllm {

// Where a select operator's decisions go, and what they are made with.
struct Decision {
  const float* thresholds;  // [THRESHOLDS]
  int seed_bits, max_bits;
  uint8_t* bits;     // [T]
  float* estimates;  // [T], of the step's result
  float* value;      // [T], the operator's own; may be null
};

// core's decideBits: NaN is above every threshold.
__device__ __forceinline__ void decide(const Decision& d, size_t t, float estimate) {
  int bits = MIN_BITS;
  for (int j = 0; j < THRESHOLDS; j++) {
    if (!(estimate <= d.thresholds[j])) bits++;
  }
  d.bits[t] = static_cast<uint8_t>(min(max(bits, d.seed_bits), d.max_bits));
  d.estimates[t] = estimate;
  if (d.value != nullptr) d.value[t] = estimate;
}

// One block for each token: estimate = slope * (Euclidean norm of row t of x [T, width]) + intercept.
__global__ void select_norm_kernel(const float* x, size_t width, float slope, float intercept, Decision decision) {
  const size_t t = blockIdx.x;
  float sum = 0.0f;
  for (size_t i = threadIdx.x; i < width; i += blockDim.x) sum += x[t * width + i] * x[t * width + i];
  sum = block_sum(sum);
  if (threadIdx.x == 0) decide(decision, t, fmaf(slope, sqrtf(sum), intercept));
}

// One block for each token: estimate = weights . x[t] + bias.
__global__ void select_probe_kernel(const float* x, size_t width, const float* weights, float bias, Decision decision) {
  const size_t t = blockIdx.x;
  float sum = 0.0f;
  for (size_t i = threadIdx.x; i < width; i += blockDim.x) sum += x[t * width + i] * weights[i];
  sum = block_sum(sum);
  if (threadIdx.x == 0) decide(decision, t, sum + bias);
}

// Without a policy: the most bits loaded, estimates of 0.
__global__ void select_most_kernel(Decision decision, size_t tokens) {
  const size_t t = blockIdx.x * blockDim.x + threadIdx.x;
  if (t >= tokens) return;
  decision.bits[t] = static_cast<uint8_t>(decision.max_bits);
  decision.estimates[t] = 0.0f;
  if (decision.value != nullptr) decision.value[t] = 0.0f;
}

static const Estimator* estimator_of(const Select& op, const Execution& e) {
  return e.step.estimators == nullptr ? nullptr : &e.step.estimators->of_select[op.index];
}

// Projections, or errors, of all tokens.
size_t scratch_bytes(const Select& op, const Execution& e) {
  const Estimator* estimator = estimator_of(op, e);
  if (estimator == nullptr) return 0;
  const bool exact = estimator->kind == Estimator::Kind::exact;
  return e.step.token_count * (exact ? e.program.weights[op.weight].rows() : estimator->rows) * sizeof(float);
}

void run(const Select& op, Execution& e) {
  using Kind = Estimator::Kind;
  const Layout& layout = e.workspace.layout;
  const BitPlanes& w = e.program.weights[op.weight].planes();
  const size_t tokens = e.step.token_count, first = op.index * tokens, width = e.width(op.x);
  const Decision decision = {e.at<float>(layout.thresholds) + op.index * THRESHOLDS, w.seed_bits,
                             w.max_bits, e.at<uint8_t>(layout.bits) + first,
                             e.at<float>(layout.estimates) + first, e.f32(op.estimate)};
  const Estimator* estimator = estimator_of(op, e);
  if (estimator == nullptr) {
    launch("select_most", select_most_kernel, blocks_for(tokens, BLOCK), BLOCK, 0, e.stream, decision, tokens);
    return;
  }
  const auto norm = [&](const float* x, size_t elements, float slope, float intercept) {
    launch("select_norm", select_norm_kernel, static_cast<unsigned>(tokens), 512, 0, e.stream, x, elements, slope, intercept,
           decision);
  };
  switch (estimator->kind) {
    case Kind::none: return norm(nullptr, 0, 0.0f, 0.0f);
    case Kind::linear: return norm(e.f32(op.x), width, estimator->slope, estimator->intercept);
    case Kind::probe:
      launch("select_probe", select_probe_kernel, static_cast<unsigned>(tokens), 512, 0, e.stream, e.f32(op.x), width,
             estimator->data.as<float>(), estimator->intercept, decision);
      return;
    case Kind::projection:
      product({estimator->data.as(), FloatType::f32, estimator->rows, width}, e.f32(op.x), tokens, {}, e.scratch(), e.stream);
      return norm(e.scratch(), estimator->rows, 1.0f, 0.0f);
    case Kind::exact:
      product(w, difference_reading(estimator->low, estimator->high), e.f32(op.x), tokens, {}, e.scratch(), e.stream);
      return norm(e.scratch(), w.rows, 1.0f, 0.0f);
  }
}

}  // namespace dpllm
