#include "step_runner.h"

namespace dpllm {

StepRunner::StepRunner(Program program, Plan plan, size_t capacity) : program_(std::move(program)), plan_(std::move(plan)) {
  upload(program_, 0, stream_);
  cache_ = std::make_unique<KeyValueCache>(program_, 0, capacity, FloatType::f16);
  for (auto* side : {&cache_->keys, &cache_->values}) {
    for (const DeviceBuffer& buffer : *side) DPLLM_CUDA(cudaMemsetAsync, buffer.as<void>(), 0, buffer.size(), stream_);
  }
  DPLLM_CUDA(cudaEventCreateWithFlags, &begin_, cudaEventDefault);
  DPLLM_CUDA(cudaEventCreateWithFlags, &end_, cudaEventDefault);
}

StepRunner::~StepRunner() {
  cudaEventDestroy(begin_);
  cudaEventDestroy(end_);
}

Timing StepRunner::run(const std::vector<uint32_t>& tokens, size_t position, const Policy& policy,
                       const std::vector<float>& input) {
  const uint32_t last = static_cast<uint32_t>(tokens.size()) - 1;
  StepInputs step = {};
  step.tokens = tokens.data(), step.token_count = tokens.size();
  step.rows = &last, step.row_count = 1;
  step.position = position;
  step.cache = cache_.get();
  step.estimators = &policy.estimators;
  step.thresholds = policy.thresholds.data();
  bits_.resize(program_.selects * tokens.size());
  estimates_.resize(bits_.size());
  step.bits = bits_.data(), step.estimates = estimates_.data();
  if (!program_.inputs.empty()) step.inputs = {input.data()};
  Execution e = {program_, plan_, step, workspace_, 0, stream_, true};
  if (!plan_.outputs.empty()) {
    output_.resize(e.size(plan_.outputs[0]));
    step.outputs = {output_.data()};
  }
  const auto start = std::chrono::steady_clock::now();
  prepare_step(e);
  copy_to_device(e);
  DPLLM_CUDA(cudaEventRecord, begin_, stream_);
  launch_step(e);
  DPLLM_CUDA(cudaEventRecord, end_, stream_);
  copy_to_host(e);
  stream_.synchronize();
  take_results(e);
  const double wall = std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - start).count();
  float milliseconds = 0;
  DPLLM_CUDA(cudaEventElapsedTime, &milliseconds, begin_, end_);
  return {milliseconds * 1e3, wall};
}

size_t StepRunner::kernels() const {
  size_t count = 0;
  for (const Launch& launch : workspace_.schedule.launches) {
    // Both of these are two kernels.
    const bool attends = launch.kind == Launch::Kind::rope_attention ||
                         std::holds_alternative<Attention>(program_.operators[launch.operators[0]]);
    count += attends ? 2 : 1;
  }
  return count;
}

}  // namespace dpllm
