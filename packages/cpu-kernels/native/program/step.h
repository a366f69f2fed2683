#pragma once
// One step of a program: what the caller gives, and where the operators find their values while it runs.
#include <atomic>
#include <utility>
#include <vector>

#include "program/cache.h"
#include "program/program.h"
#include "threads/thread_pool.h"

namespace dpllm {

enum class Arithmetic : int32_t { fast = 8, precise = 16 };  // bits of an activation

// Arrays are the caller's; it keeps them until the step is done.
struct StepInputs {
  const uint32_t *tokens, *rows, *targets;
  size_t token_count, row_count;
  size_t position;
  KeyValueCache* cache;
  const Estimators* estimators;  // null: every linear reads the most bits loaded
  const float* thresholds;       // [selects, THRESHOLDS]
  uint8_t* bits;                 // out: [selects, T], zero before
  float* estimates;              // out: [selects, T], zero before
  std::vector<std::pair<int, void*>> placed;  // inputs and outputs: values and their arrays
};

// Forms of an activation value that several operators of a step share.
struct Prepared {
  int value = NONE;
  Buffer buffer;
  size_t stride = 0;  // bytes from one token to the next
};

// Cosines and sines [T, pairs] of one frequencies vector, scale and direction.
struct RopeTable {
  int frequencies;
  double scale;
  bool transposed;
  Buffer cos, sin;
  bool made = false;  // in this step
};

// Memory of a program's steps, kept between them.
struct Workspace {
  Buffer arena;
  std::vector<void*> address;     // by value
  std::vector<void*> slots;       // of the plan
  std::vector<RopeTable> ropes;
  Prepared quantized, quantized_panels, packed, packed_columns;
  Buffer products;                // of which an operator uses norms or sums
  Buffer softmax;                 // states of attention's softmaxes, for their gradients
  std::vector<uint32_t> tokens;   // of a linear, grouped by their bits
};

struct Execution {
  Program& program;
  const Kernels& kernels;
  Arithmetic arithmetic;
  ThreadPool& pool;
  Workspace& workspace;
  const StepInputs& step;

  size_t count(Axis axis, size_t constant) const {
    return axis == Axis::tokens ? step.token_count : axis == Axis::rows ? step.row_count : constant;
  }
  // Rows, elements of a row, and elements of a value in this step.
  size_t rows(int value) const { return count(program.values[value].axis, program.values[value].constant); }
  size_t width(int value) const { return program.values[value].width; }
  size_t size(int value) const { return rows(value) * width(value); }

  float* f32(int value) const { return static_cast<float*>(workspace.address[value]); }
  uint8_t* u8(int value) const { return static_cast<uint8_t*>(workspace.address[value]); }
};

// Runs the operators of a plan; `cancelled` is looked at between them.
void run_step(Execution& execution, const Plan& plan, const std::atomic<bool>& cancelled);

}  // namespace dpllm
