#pragma once
// A compiled program: what core's native/lower.ts makes of core's Program and Weights, in numbers. TypeScript has checked it.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "program/accumulator.h"
#include "program/operator.h"

namespace dpllm {

// What the first dimension of a value counts.
enum class Axis : int32_t { constant = 0, tokens = 1, rows = 2 };

struct Value {
  size_t element_bytes;
  Axis axis;
  size_t constant;  // length of the first dimension where axis is `constant`
  size_t width;     // elements of one row
};

// 16-bit fixed-point centroids of one bit count, the only derived copy of a weight (see fixed_point.h).
struct FixedPointTables {
  std::vector<uint8_t> bytes;  // u8 [rows, 2, 2^bits]
  std::vector<float> scales;   // [rows]
};

// Weights point into the caller's arrays.
struct Weight {
  bool bit_planes = false;
  size_t rows = 0, cols = 0;
  // dense
  FloatType type = FloatType::f32;
  const void* data = nullptr;
  // bit-planes
  int seed_bits = 0, max_bits = 0;
  const uint32_t* planes = nullptr;
  const uint16_t* luts[9] = {};                  // by bits
  std::unique_ptr<FixedPointTables> tables[9];  // by bits, made when first needed

  // Dense vectors (norms, biases, frequencies) as f32, other weights nothing.
  std::vector<float> widened;
};

// Makes anew what is derived from the caller's arrays, which have changed: fills `widened` and drops the tables.
void derive(Weight& weight, const Kernels& kernels);

struct Program {
  std::vector<Value> values;
  std::vector<Weight> weights;
  std::vector<Operator> operators;
  std::vector<int> inputs;           // values that every step gives
  std::vector<size_t> cache_widths;  // by layer
  std::vector<Accumulator> accumulators;
  double* times = nullptr;  // by operator: milliseconds that it has taken, added to by every step; null: not measured
};

// What a step with certain outputs runs: core's native/plan.ts has left out what they do not need, and gives values whose lives
// do not overlap the same slot of the arena.
struct Plan {
  struct Slot {
    Axis axis;
    size_t row_bytes;
  };
  std::vector<int> operators;  // indices, in order
  std::vector<int> slot_of;    // by value; NONE for inputs, outputs and values that are not used
  std::vector<Slot> slots;
  std::vector<int> outputs;  // values that the step gives back and that are not inputs
};

// How one select operator estimates (core's backend/policy.ts).
struct Estimator {
  enum class Kind : int32_t { none = 0, exact = 1, projection = 2, linear = 3, probe = 4 } kind;
  int low, high;        // exact
  const float* matrix;  // projection, [rows, D] where x is [T, D]
  size_t rows;
  float slope, intercept;  // linear
  const float* weights;    // probe, [D]
  float bias;
};
using Estimators = std::vector<Estimator>;

constexpr int MIN_BITS = 3, MAX_BITS = 8, THRESHOLDS = MAX_BITS - MIN_BITS;

}  // namespace dpllm
