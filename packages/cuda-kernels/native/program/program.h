#pragma once
// A compiled program: what core's native/lower.ts makes of core's Program and Weights, in numbers, with the weights in device
// memory. TypeScript has checked it.
#include <cuda_runtime.h>

#include <cstddef>
#include <cstdint>
#include <vector>

#include "device/memory.h"
#include "program/identity.h"
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

// A weight's arrays on the host: the caller's, which stay alive and in place.
struct HostWeight {
  bool bit_planes = false;
  size_t rows = 0, cols = 0;
  // dense
  FloatType type = FloatType::f32;
  const void* data = nullptr;
  // bit-planes
  int seed_bits = 0, max_bits = 0;
  const uint32_t* planes = nullptr;
  const uint16_t* luts[MAX_BITS + 1] = {};  // by bits
};

// Its copy on the device: only the planes and tables that are loaded, so that a memory budget holds here, too.
class Weight {
 public:
  explicit Weight(const HostWeight& host) : host_(host) {}
  // Copies the host's arrays, which may have changed. Throws CudaError.
  void upload(int device);

  bool bit_planes() const { return host_.bit_planes; }
  size_t rows() const { return host_.rows; }
  size_t cols() const { return host_.cols; }
  int max_bits() const { return host_.max_bits; }
  const Dense& dense() const { return dense_; }
  const BitPlanes& planes() const { return planes_; }

 private:
  void upload_planes(int device);

  HostWeight host_;
  DeviceBuffer buffer_;
  Dense dense_ = {};
  BitPlanes planes_ = {};
};

// f32 [rows, cols], zero at first: a sum that outlives steps.
struct Accumulator {
  size_t rows, cols;
  DeviceBuffer data;
  size_t bytes() const { return rows * cols * sizeof(float); }
};

struct Program {
  std::vector<Value> values;
  std::vector<Weight> weights;
  std::vector<Operator> operators;
  std::vector<size_t> cache_widths;  // by layer
  std::vector<Accumulator> accumulators;
  std::vector<int> inputs;           // values that every step gives
  size_t selects = 0;
};

// Puts the weights and accumulators on the device, and waits for it. Throws CudaError.
void upload(Program& program, int device, cudaStream_t stream);

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
  std::vector<int> outputs;    // values
  uint64_t id = new_identity();
};

}  // namespace dpllm
