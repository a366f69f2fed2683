#include "program/step.h"

#include <cstring>

#include "operators/operators.h"
#include "program/layout.h"

namespace dpllm {

// Makes room for the step; what was recorded for another place is forgotten.
static void reserve(Execution& e) {
  Workspace& w = e.workspace;
  w.layout = lay_out(e);
  if (w.layout.total > w.arena.size()) {
    w.forget_graph();
    w.arena = DeviceBuffer();  // freed first: there may be no room for both
    w.arena = DeviceBuffer(e.device, w.layout.total);
  }
  if (w.layout.upload_bytes > w.upload.size()) w.upload = PinnedBuffer(w.layout.upload_bytes);
  if (w.layout.download_bytes > w.download.size()) w.download = PinnedBuffer(w.layout.download_bytes);
  place_values(e);
}

static void copy_to_device(Execution& e) {
  const Layout& layout = e.workspace.layout;
  const StepInputs& step = e.step;
  char* staged = e.workspace.upload.data();
  const auto stage = [&](size_t offset, const void* data, size_t bytes) {
    if (data != nullptr && bytes != 0) std::memcpy(staged + offset, data, bytes);
  };
  const StepParameters parameters = {static_cast<uint32_t>(step.position)};
  stage(layout.parameters, &parameters, sizeof parameters);
  stage(layout.tokens, step.tokens, step.token_count * sizeof(uint32_t));
  stage(layout.rows, step.rows, step.row_count * sizeof(uint32_t));
  stage(layout.targets, step.targets, step.row_count * sizeof(uint32_t));
  stage(layout.thresholds, step.thresholds, e.program.selects * THRESHOLDS * sizeof(float));
  for (size_t i = 0; i < layout.inputs.size(); i++)
    stage(layout.inputs[i], step.inputs[i], e.size(e.program.inputs[i]) * sizeof(float));
  DPLLM_CUDA(cudaMemcpyAsync, e.at<void>(0), staged, layout.upload_bytes, cudaMemcpyHostToDevice, e.stream);
}

static void launch_operators(Execution& e) {
  // Selects that this step's outputs do not need report nothing.
  const Layout& layout = e.workspace.layout;
  const size_t decisions = layout.estimates + e.program.selects * e.step.token_count * sizeof(float) - layout.bits;
  DPLLM_CUDA(cudaMemsetAsync, e.at<void>(layout.bits), 0, decisions, e.stream);
  for (const int index : e.plan.operators) std::visit([&](const auto& op) { run(op, e); }, e.program.operators[index]);
}

// The second step in a row that is alike is recorded, and that and all that follow are one launch each.
static void launch(Execution& e) {
  if (!e.use_graphs) return launch_operators(e);
  Workspace& w = e.workspace;
  const uint64_t estimators = e.step.estimators == nullptr ? 0 : e.step.estimators->id;
  const Workspace::Key key = {e.plan.id, estimators, e.step.cache->id, e.step.token_count, e.step.row_count};
  if (w.last != key) {
    w.forget_graph();
    launch_operators(e);
    w.last = key;
    return;
  }
  if (w.graph == nullptr) w.graph = std::make_unique<Graph>(e.stream, [&] { launch_operators(e); });
  w.graph->launch(e.stream);
}

static void copy_back(Execution& e) {
  const Layout& layout = e.workspace.layout;
  const char* staged = e.workspace.download.data();
  const auto fetch = [&](void* data, size_t offset, size_t bytes) {
    if (bytes != 0) std::memcpy(data, staged + (offset - layout.download), bytes);
  };
  const size_t decisions = e.program.selects * e.step.token_count;
  fetch(e.step.bits, layout.bits, decisions);
  fetch(e.step.estimates, layout.estimates, decisions * sizeof(float));
  for (size_t i = 0; i < layout.outputs.size(); i++)
    fetch(e.step.outputs[i], layout.outputs[i], e.size(e.plan.outputs[i]) * sizeof(float));
}

void run_step(Execution& e) {
  DPLLM_CUDA(cudaSetDevice, e.device);
  reserve(e);
  copy_to_device(e);
  launch(e);
  const Layout& layout = e.workspace.layout;
  if (layout.download_bytes != 0) {
    DPLLM_CUDA(cudaMemcpyAsync, e.workspace.download.data(), e.at<void>(layout.download), layout.download_bytes,
               cudaMemcpyDeviceToHost, e.stream);
  }
  DPLLM_CUDA(cudaStreamSynchronize, e.stream);
  copy_back(e);
}

}  // namespace dpllm
