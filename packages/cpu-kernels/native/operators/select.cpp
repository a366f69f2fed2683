#include <cmath>
#include <cstring>

#include "operators/operators.h"
#include "operators/product.h"

namespace dpllm {

// core's decideBits: NaN is above every threshold.
static uint8_t decide(float estimate, const float* thresholds, const Weight& weight) {
  int bits = MIN_BITS;
  for (int j = 0; j < THRESHOLDS; j++) {
    if (!(estimate <= thresholds[j])) bits++;
  }
  if (bits < weight.seed_bits) bits = weight.seed_bits;
  if (bits > weight.max_bits) bits = weight.max_bits;
  return static_cast<uint8_t>(bits);
}

// estimates[t] = slope * (Euclidean norm of row t of `rows`, N values each) + intercept.
static void norms(Execution& e, const float* rows, size_t N, double slope, double intercept, float* estimates) {
  e.pool.parallel_for(e.step.token_count, grain_of(N), [&](size_t begin, size_t end, int) {
    for (size_t t = begin; t < end; t++) {
      double sum = 0;
      for (size_t n = 0; n < N; n++) sum += static_cast<double>(rows[t * N + n]) * rows[t * N + n];
      estimates[t] = static_cast<float>(slope * std::sqrt(sum) + intercept);
    }
  });
}

// estimates[t] = weights . x[t] + bias: a product of the matrix x [T, D] with one vector, so that every row is read once
// and nothing is packed, however many there are.
static void probe(Execution& e, int x, const Estimator& estimator, float* estimates) {
  const size_t width = e.width(x);
  const DenseView rows = {e.f32(x), FloatType::f32, e.step.token_count, width};
  e.pool.parallel_for(e.step.token_count, grain_of(width), [&](size_t begin, size_t end, int) {
    e.kernels.dense_gemv(rows, begin, end, &estimator.weights, 1, nullptr, &estimates);
    for (size_t t = begin; t < end; t++) estimates[t] += estimator.bias;
  });
}

// The estimate of every token's x [D]; norms are of x itself, or of its product with G, or with W_high - W_low as tiles,
// which are exact.
static void estimate(Execution& e, const Select& op, const Estimator& estimator, float* estimates) {
  using Kind = Estimator::Kind;
  if (estimator.kind == Kind::none) return;
  if (estimator.kind == Kind::probe) return probe(e, op.x, estimator, estimates);
  const size_t width = e.width(op.x);
  if (estimator.kind == Kind::linear) return norms(e, e.f32(op.x), width, estimator.slope, estimator.intercept, estimates);
  const bool exact = estimator.kind == Kind::exact;  // where width is K
  Weight& weight = e.program.weights[op.weight];
  const size_t tokens = e.step.token_count, N = exact ? weight.rows : estimator.rows;
  e.workspace.products.reserve(tokens * N * sizeof(float));
  float* products = e.workspace.products.as<float>();
  const ProductRows rows = {op.x, nullptr, tokens, nullptr, products};
  if (exact) tiled_product(e, {{}, &weight, estimator.high, 1.0f, estimator.low, -1.0f}, rows);
  else product(e, {{estimator.matrix, FloatType::f32, estimator.rows, width}}, rows);
  norms(e, products, N, 1, 0, estimates);
}

void run(const Select& op, Execution& e) {
  const Weight& weight = e.program.weights[op.weight];
  const size_t tokens = e.step.token_count;
  uint8_t* bits = e.step.bits + op.index * tokens;
  float* estimates = e.step.estimates + op.index * tokens;
  e.workspace.address[op.bits] = bits;
  if (e.step.estimators == nullptr) {
    std::memset(bits, weight.max_bits, tokens);
  } else {
    estimate(e, op, (*e.step.estimators)[op.index], estimates);
    for (size_t t = 0; t < tokens; t++) bits[t] = decide(estimates[t], e.step.thresholds + op.index * THRESHOLDS, weight);
  }
  if (e.f32(op.estimate) != nullptr) std::memcpy(e.f32(op.estimate), estimates, tokens * sizeof(float));
}

}  // namespace dpllm
