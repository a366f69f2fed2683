#pragma once
// One step of a program: what the caller gives, and where the operators find their values while it runs.
//
// A step is one copy to the device, kernels, and one copy back. Nothing in between waits for the host, and what differs
// from token to token (the tokens, their position, thresholds, the bits that were decided) is read from device memory, so
// that kernels are launched alike for every step of the same size.
#include <array>
#include <memory>
#include <vector>

#include "device/stream.h"
#include "program/cache.h"
#include "program/estimators.h"
#include "program/program.h"
#include "program/schedule.h"

namespace dpllm {

// Arrays are the caller's; it keeps them until the step is done.
struct StepInputs {
  const uint32_t *tokens, *rows, *targets;  // targets may be null
  size_t token_count, row_count;
  size_t position;
  KeyValueCache* cache;
  const Estimators* estimators;   // null: every linear reads the most bits loaded
  const float* thresholds;       // [selects, THRESHOLDS]
  uint8_t* bits;                 // out: [selects, T]
  float* estimates;              // out: [selects, T]
  std::vector<const float*> inputs;  // of Program::inputs
  std::vector<float*> outputs;       // of Plan::outputs
};

// What kernels read of a step besides values.
struct StepParameters {
  uint32_t position;
};

// Where a step's data are in the arena, in bytes.
struct Layout {
  // Copied to the device as one: parameters, the integer values, thresholds, inputs.
  size_t parameters, tokens, rows, targets, thresholds;
  std::vector<size_t> inputs;
  size_t upload_bytes;
  // Zero when a step begins: u32 counters, of the operator that runs, which leaves them zero; bits; estimates.
  size_t counters;
  // Copied back as one: bits, estimates, outputs.
  size_t bits, estimates;
  std::vector<size_t> outputs;
  size_t download, download_bytes;
  std::vector<size_t> slots;
  std::vector<size_t> side_values;  // of Schedule::side_values
  size_t scratch, side_scratch;     // of the operators that run on either stream
  size_t total;
};

// Memory of a program's steps, and what the last one launched, kept between them.
struct Workspace {
  DeviceBuffer arena;
  PinnedBuffer upload, download;
  Layout layout;
  std::vector<void*> address;  // by value

  // Identities of the plan and estimators, and whether it forks: what `schedule` is right for.
  std::array<uint64_t, 3> scheduled = {};
  Schedule schedule;
  std::unique_ptr<Stream> side;  // made when a step first forks
  std::vector<Event> events;     // of Launch::event

  // What a recorded graph is right for: identities of the plan, estimators and cache, tokens and rows.
  using Key = std::array<uint64_t, 5>;
  Key last = {};
  std::unique_ptr<Graph> graph;  // of `last`

  void forget_graph() {
    graph.reset();
    last = {};
  }
};

struct Execution {
  Program& program;
  const Plan& plan;
  const StepInputs& step;
  Workspace& workspace;
  int device;
  cudaStream_t stream;  // where the operator that runs puts its kernels
  bool use_graphs;
  bool beside = false;  // whether `stream` is the one beside the step's own

  size_t count(Axis axis, size_t constant) const {
    return axis == Axis::tokens ? step.token_count : axis == Axis::rows ? step.row_count : constant;
  }
  // Rows, elements of a row, and elements of a value in this step.
  size_t rows(int value) const { return count(program.values[value].axis, program.values[value].constant); }
  size_t width(int value) const { return program.values[value].width; }
  size_t size(int value) const { return rows(value) * width(value); }

  // In device memory; null for what no operator reads and nobody wants.
  float* f32(int value) const { return static_cast<float*>(workspace.address[value]); }
  uint8_t* u8(int value) const { return static_cast<uint8_t*>(workspace.address[value]); }
  const uint32_t* u32(int value) const { return static_cast<const uint32_t*>(workspace.address[value]); }
  template <class T>
  T* at(size_t offset) const { return workspace.arena.as<T>(offset); }
  const StepParameters* parameters() const { return at<StepParameters>(workspace.layout.parameters); }
  // Of the operator that runs.
  float* scratch() const { return at<float>(beside ? workspace.layout.side_scratch : workspace.layout.scratch); }
};

// Steps of at most as many tokens estimate beside their products; in longer ones no linear waits for an estimate for long.
constexpr size_t MAX_FORKED_TOKENS = 16;

// Runs a step and waits for it. Throws CudaError; nothing of the step runs any more then.
void run_step(Execution& e);

// Its parts, for measurements: makes room for a step; puts the copy to the device, what it launches, and the copy back into
// the stream; and takes the results once that is done. Each may run again before the next.
void prepare_step(Execution& e);
void copy_to_device(Execution& e);
void launch_step(Execution& e);
void copy_to_host(Execution& e);
void take_results(Execution& e);

}  // namespace dpllm
