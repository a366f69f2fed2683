#include "program/step.h"

#include <cstring>

#include "operators/operators.h"
#include "program/layout.h"

namespace dpllm {

static uint64_t estimators_id(const Execution& e) { return e.step.estimators == nullptr ? 0 : e.step.estimators->id; }

static void schedule(Execution& e) {
  Workspace& w = e.workspace;
  const bool fork = e.step.token_count <= MAX_FORKED_TOKENS;
  const std::array<uint64_t, 3> wanted = {e.plan.id, estimators_id(e), fork};
  if (w.scheduled != wanted) w.schedule = make_schedule(e.program, e.plan, e.step.estimators, fork);
  w.scheduled = wanted;
  if (w.schedule.events != 0 && w.side == nullptr) w.side = std::make_unique<Stream>(e.device);
  while (w.events.size() < static_cast<size_t>(w.schedule.events)) w.events.emplace_back(e.device);
}

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

void copy_to_device(Execution& e) {
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

static void run_launch(const Launch& launch, Execution& e) {
  const std::vector<Operator>& operators = e.program.operators;
  const std::vector<int>& of = launch.operators;
  switch (launch.kind) {
    case Launch::Kind::one: return std::visit([&](const auto& op) { run(op, e); }, operators[of[0]]);
    case Launch::Kind::fixed_selects: return run_fixed_selects(of, e);
    case Launch::Kind::selects: return run_selects(of, e);
    case Launch::Kind::add_rms_norm:
      return run_add_rms_norm(std::get<Add>(operators[of[0]]), std::get<RmsNorm>(operators[of[1]]), e);
    case Launch::Kind::rope_attention:
      return run_rope_attention(std::get<Rope>(operators[of[0]]), std::get<Rope>(operators[of[1]]),
                                std::get<Attention>(operators[of[2]]), e);
  }
}

static void launch_operators(Execution& e) {
  // Selects that this step's outputs do not need report nothing.
  Workspace& w = e.workspace;
  const size_t end = w.layout.estimates + e.program.selects * e.step.token_count * sizeof(float);
  if (end != w.layout.counters)
    DPLLM_CUDA(cudaMemsetAsync, e.at<void>(w.layout.counters), 0, end - w.layout.counters, e.stream);
  const std::vector<Launch>& launches = w.schedule.launches;
  const cudaStream_t own = e.stream;
  if (w.schedule.events != 0) {
    w.events[0].record(own);
    w.events[0].make_wait(*w.side);
  }
  for (const Launch& launch : launches) {
    e.beside = launch.side;
    e.stream = launch.side ? static_cast<cudaStream_t>(*w.side) : own;
    if (launch.wait_for != NONE) w.events[launches[launch.wait_for].event].make_wait(e.stream);
    run_launch(launch, e);
    if (launch.event != NONE) w.events[launch.event].record(e.stream);
  }
  e.beside = false;
  e.stream = own;
  if (w.schedule.join != NONE) w.events[launches[w.schedule.join].event].make_wait(own);
}

// The second step in a row that is alike is recorded, and that and all that follow are one launch each.
void launch_step(Execution& e) {
  if (!e.use_graphs) return launch_operators(e);
  Workspace& w = e.workspace;
  const Workspace::Key key = {e.plan.id, estimators_id(e), e.step.cache->id, e.step.token_count, e.step.row_count};
  if (w.last != key) {
    w.forget_graph();
    launch_operators(e);
    w.last = key;
    return;
  }
  if (w.graph == nullptr) w.graph = std::make_unique<Graph>(e.stream, [&] { launch_operators(e); });
  w.graph->launch(e.stream);
}

void take_results(Execution& e) {
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

void prepare_step(Execution& e) {
  DPLLM_CUDA(cudaSetDevice, e.device);
  schedule(e);
  reserve(e);
}

void copy_to_host(Execution& e) {
  const Layout& layout = e.workspace.layout;
  if (layout.download_bytes == 0) return;
  DPLLM_CUDA(cudaMemcpyAsync, e.workspace.download.data(), e.at<void>(layout.download), layout.download_bytes,
             cudaMemcpyDeviceToHost, e.stream);
}

void run_step(Execution& e) {
  prepare_step(e);
  const cudaStream_t own = e.stream;
  try {
    copy_to_device(e);
    launch_step(e);
    copy_to_host(e);
    DPLLM_CUDA(cudaStreamSynchronize, own);
  } catch (...) {
    // What was started reads memory that the next step writes.
    cudaStreamSynchronize(own);
    if (e.workspace.side != nullptr) cudaStreamSynchronize(*e.workspace.side);
    cudaGetLastError();
    e.workspace.forget_graph();
    throw;
  }
  take_results(e);
}

}  // namespace dpllm
