#include <algorithm>

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

// Selects that look at the same x [T, width], each through one sum: slope * (Euclidean norm of x[t]) + intercept, or with
// weights [width], weights . x[t] + intercept.
struct SumEstimate {
  const float* weights;
  float slope, intercept;
  Decision decision;
};
static constexpr size_t MAX_SUMS = 8;
struct SumEstimates {
  SumEstimate of[MAX_SUMS];
};

// One block for each token and select.
__global__ void select_sums_kernel(const float* x, size_t width, SumEstimates estimates) {
  const SumEstimate& estimate = estimates.of[blockIdx.y];
  const size_t t = blockIdx.x;
  float sum = 0.0f;
  for (size_t i = threadIdx.x; i < width; i += blockDim.x) {
    const float value = x[t * width + i];
    sum += value * (estimate.weights == nullptr ? value : estimate.weights[i]);
  }
  sum = block_sum(sum);
  if (threadIdx.x != 0) return;
  decide(estimate.decision, t, estimate.weights == nullptr ? fmaf(estimate.slope, sqrtf(sum), estimate.intercept)
                                                           : sum + estimate.intercept);
}

// Selects whose estimate is 0 whatever the token is. Without a policy bits are the most that are loaded.
static constexpr size_t MAX_FIXED = 512;
struct FixedSelects {
  struct {
    uint16_t index;
    uint8_t seed_bits, max_bits;
  } of[MAX_FIXED];
};

// One thread for each token of each select; thresholds [selects, THRESHOLDS], bits and estimates [selects, T].
__global__ void fixed_selects_kernel(FixedSelects selects, const float* thresholds, size_t tokens, uint8_t* bits,
                                     float* estimates) {
  const size_t t = blockIdx.y * static_cast<size_t>(blockDim.x) + threadIdx.x;
  if (t >= tokens) return;
  const auto& select = selects.of[blockIdx.x];
  const size_t index = select.index;
  decide({thresholds + index * THRESHOLDS, select.seed_bits, select.max_bits, bits + index * tokens, estimates + index * tokens,
          nullptr}, t, 0.0f);
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

static Decision decision_of(const Select& op, const Execution& e) {
  const Layout& layout = e.workspace.layout;
  const Weight& w = e.program.weights[op.weight];
  const size_t first = op.index * e.step.token_count;
  // Without a policy nothing gives thresholds: the most bits are the fewest, too.
  const int fewest = e.step.estimators == nullptr ? w.max_bits() : w.planes().seed_bits;
  return {e.at<float>(layout.thresholds) + op.index * THRESHOLDS, fewest, w.max_bits(), e.at<uint8_t>(layout.bits) + first,
          e.at<float>(layout.estimates) + first, e.f32(op.estimate)};
}

static void select_sums(const float* x, size_t width, const SumEstimates& estimates, size_t count, const Execution& e) {
  const dim3 grid(static_cast<unsigned>(e.step.token_count), static_cast<unsigned>(count));
  launch("select_sums", select_sums_kernel, grid, 512, 0, e.stream, x, width, estimates);
}

void run_selects(const std::vector<int>& selects, Execution& e) {
  for (size_t first = 0; first < selects.size(); first += MAX_SUMS) {
    SumEstimates estimates = {};
    const size_t count = std::min(selects.size() - first, MAX_SUMS);
    for (size_t i = 0; i < count; i++) {
      const Select& op = std::get<Select>(e.program.operators[selects[first + i]]);
      const Estimator& estimator = *estimator_of(op, e);
      const bool probe = estimator.kind == Estimator::Kind::probe;
      estimates.of[i] = {probe ? estimator.data.as<float>() : nullptr, estimator.slope, estimator.intercept, decision_of(op, e)};
    }
    const int x = std::get<Select>(e.program.operators[selects[0]]).x;
    select_sums(e.f32(x), e.width(x), estimates, count, e);
  }
}

void run_fixed_selects(const std::vector<int>& selects, Execution& e) {
  const Layout& layout = e.workspace.layout;
  for (size_t first = 0; first < selects.size(); first += MAX_FIXED) {
    FixedSelects fixed = {};
    const size_t count = std::min(selects.size() - first, MAX_FIXED);
    for (size_t i = 0; i < count; i++) {
      const Select& op = std::get<Select>(e.program.operators[selects[first + i]]);
      const Decision decision = decision_of(op, e);
      fixed.of[i] = {static_cast<uint16_t>(op.index), static_cast<uint8_t>(decision.seed_bits),
                     static_cast<uint8_t>(decision.max_bits)};
    }
    const dim3 grid(static_cast<unsigned>(count), blocks_for(e.step.token_count, 64));
    launch("fixed_selects", fixed_selects_kernel, grid, 64, 0, e.stream, fixed, e.at<float>(layout.thresholds),
           e.step.token_count, e.at<uint8_t>(layout.bits), e.at<float>(layout.estimates));
  }
}

void run(const Select& op, Execution& e) {
  using Kind = Estimator::Kind;
  const BitPlanes& w = e.program.weights[op.weight].planes();
  const size_t tokens = e.step.token_count, width = e.width(op.x);
  const Decision decision = decision_of(op, e);
  const auto norm = [&](const float* x, size_t elements, float slope, float intercept) {
    select_sums(x, elements, {{{nullptr, slope, intercept, decision}}}, 1, e);
  };
  const Estimator* estimator = estimator_of(op, e);
  switch (estimator == nullptr ? Kind::none : estimator->kind) {
    case Kind::none: return norm(nullptr, 0, 0.0f, 0.0f);
    case Kind::linear:
    case Kind::probe: {
      const float* weights = estimator->kind == Kind::probe ? estimator->data.as<float>() : nullptr;
      return select_sums(e.f32(op.x), width, {{{weights, estimator->slope, estimator->intercept, decision}}}, 1, e);
    }
    case Kind::projection:
      product({estimator->data.as(), FloatType::f32, estimator->rows, width}, e.f32(op.x), tokens, {}, e.scratch(), e.stream);
      return norm(e.scratch(), estimator->rows, 1.0f, 0.0f);
    case Kind::exact:
      product(w, difference_reading(estimator->low, estimator->high), e.f32(op.x), tokens, {}, e.scratch(), e.stream);
      return norm(e.scratch(), w.rows, 1.0f, 0.0f);
  }
}

}  // namespace dpllm
