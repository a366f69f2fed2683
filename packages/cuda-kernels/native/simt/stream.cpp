// Streams, events and graphs. Work is done when the host waits for it, as late as CUDA allows: what does not wait sees what
// was there before. Of several streams, the one that is waited for goes on until it has to wait for another; with
// DPLLM_SIMT_REVERSE=1 the others go on as far as they can first. A missing event between two streams shows in one of them.
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <exception>
#include <map>
#include <memory>
#include <set>
#include <stdexcept>
#include <vector>

#include "simt/state.h"

namespace simt {

struct Capture;

// One recording of an event.
struct Signal {
  bool raised = false, waited_for = false;
  Capture* capture;  // that it was recorded in
};

struct Task {
  std::function<void()> work;
  std::shared_ptr<Signal> raise, wait;
};
using Tasks = std::deque<Task>;

struct Stream {
  int device;
  Tasks pending;
  std::shared_ptr<Capture> capture;
};

struct Capture {
  Stream* origin;
  std::map<Stream*, Tasks> branches;
};

struct Event {
  int device;
  std::shared_ptr<Signal> signal;
  std::shared_ptr<std::chrono::steady_clock::time_point> time;
};

struct Graph {
  std::vector<Tasks> branches;  // the stream's own that captured it, then others
};

namespace {

std::set<Stream*> streams;

bool run_first(Tasks& tasks) {
  if (tasks.empty() || (tasks.front().wait != nullptr && !tasks.front().wait->raised)) return false;
  const Task task = std::move(tasks.front());
  tasks.pop_front();
  if (task.work) task.work();
  if (task.raise != nullptr) task.raise->raised = true;
  return true;
}

// Runs the first queue to its end, and of the others at least what that waits for.
void drain(const std::vector<Tasks*>& queues) {
  const char* order = std::getenv("DPLLM_SIMT_REVERSE");
  const bool others_first = order != nullptr && *order == '1';
  while (!queues[0]->empty()) {
    bool progress = false;
    for (size_t i = 1; others_first && i < queues.size(); i++) {
      while (run_first(*queues[i])) progress = true;
    }
    if (run_first(*queues[0])) continue;
    for (size_t i = 1; i < queues.size() && !progress; i++) progress = run_first(*queues[i]);
    if (!progress) throw std::runtime_error("streams wait for each other, or for an event that nobody records");
  }
}

cudaError_t synchronize(Stream* stream) {
  std::vector<Tasks*> queues = {&stream->pending};
  for (Stream* other : streams) {
    if (other != stream) queues.push_back(&other->pending);
  }
  try {
    drain(queues);
  } catch (const std::exception& error) {
    stream->pending.clear();
    failure = error.what();
    return result(cudaErrorLaunchFailure);
  }
  return cudaSuccess;
}

void run_graph(const Graph& graph) {
  std::vector<Tasks> branches = graph.branches;
  std::vector<Tasks*> queues;
  for (Tasks& branch : branches) {
    for (Task& task : branch) {
      if (task.raise != nullptr) task.raise->raised = false;
    }
    queues.push_back(&branch);
  }
  drain(queues);
}

void enqueue(Stream* stream, Task task) {
  const Lock lock(device_mutex);
  (stream->capture == nullptr ? stream->pending : stream->capture->branches[stream]).push_back(std::move(task));
}

cudaError_t enqueue_work(Stream* stream, std::function<void()> work) {
  enqueue(stream, {std::move(work), nullptr, nullptr});
  return cudaSuccess;
}

}  // namespace

cudaError_t synchronize_all() {
  cudaError_t error = cudaSuccess;
  for (Stream* stream : streams) {
    const cudaError_t one = synchronize(stream);
    if (one != cudaSuccess) error = one;
  }
  return error;
}

void enqueue_grid(Stream* stream, dim3 grid, dim3 block, size_t shared_bytes, std::function<void()> body) {
  if (const cudaError_t fault = injected_fault("launch")) {
    result(fault);
  } else if (stream->device != current_device()) {
    result(cudaErrorInvalidResourceHandle);
  } else {
    enqueue_work(stream, [=, body = std::move(body)] { run_grid(grid, block, shared_bytes, body); });
  }
}

}  // namespace simt

using namespace simt;

cudaError_t cudaMemcpyAsync(void* to, const void* from, size_t bytes, cudaMemcpyKind, cudaStream_t stream) {
  SIMT_FAULT_POINT();
  return enqueue_work(stream, [=] { std::memcpy(to, from, bytes); });
}
cudaError_t cudaMemsetAsync(void* pointer, int value, size_t bytes, cudaStream_t stream) {
  SIMT_FAULT_POINT();
  return enqueue_work(stream, [=] { std::memset(pointer, value, bytes); });
}

cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned) {
  SIMT_FAULT_POINT();
  const Lock lock(device_mutex);
  *stream = new Stream{current_device(), {}, nullptr};
  streams.insert(*stream);
  return cudaSuccess;
}
cudaError_t cudaStreamDestroy(cudaStream_t stream) {
  const Lock lock(device_mutex);
  const cudaError_t error = synchronize(stream);
  streams.erase(stream);
  delete stream;
  return error;
}
cudaError_t cudaStreamSynchronize(cudaStream_t stream) {
  SIMT_FAULT_POINT();
  const Lock lock(device_mutex);
  if (stream->capture != nullptr) return result(cudaErrorInvalidValue);
  return synchronize(stream);
}

// A stream that waits for an event of a capture becomes part of it.
cudaError_t cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t event, unsigned) {
  SIMT_FAULT_POINT();
  const Lock lock(device_mutex);
  if (event->signal == nullptr) return cudaSuccess;
  Capture* capture = event->signal->capture;
  if (capture == nullptr && stream->capture != nullptr) return result(cudaErrorStreamCaptureIsolation);
  if (capture != nullptr) {
    if (stream->capture != nullptr && stream->capture.get() != capture) return result(cudaErrorStreamCaptureIsolation);
    stream->capture = capture->origin->capture;
  }
  event->signal->waited_for = true;
  enqueue(stream, {nullptr, nullptr, event->signal});
  return cudaSuccess;
}

cudaError_t cudaStreamBeginCapture(cudaStream_t stream, cudaStreamCaptureMode) {
  SIMT_FAULT_POINT();
  const Lock lock(device_mutex);
  if (stream->capture != nullptr) return result(cudaErrorInvalidValue);
  stream->capture = std::make_shared<Capture>();
  stream->capture->origin = stream;
  stream->capture->branches[stream];
  return cudaSuccess;
}
cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t* graph) {
  const Lock lock(device_mutex);
  if (stream->capture == nullptr || stream->capture->origin != stream) return result(cudaErrorInvalidValue);
  const std::shared_ptr<Capture> capture = stream->capture;
  auto made = std::make_unique<Graph>();
  made->branches.push_back(std::move(capture->branches[stream]));
  bool joined = true;
  for (auto& [branch, tasks] : capture->branches) {
    branch->capture = nullptr;
    if (branch == stream) continue;
    joined = joined && !tasks.empty() && tasks.back().raise != nullptr && tasks.back().raise->waited_for;
    made->branches.push_back(std::move(tasks));
  }
  *graph = nullptr;
  const cudaError_t fault = injected_fault(__func__);
  if (fault != cudaSuccess) return result(fault);
  if (!joined) return result(cudaErrorStreamCaptureUnjoined);
  *graph = made.release();
  return cudaSuccess;
}

cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned) {
  SIMT_FAULT_POINT();
  *event = new Event{current_device(), nullptr, nullptr};
  return cudaSuccess;
}
cudaError_t cudaEventDestroy(cudaEvent_t event) {
  delete event;
  return cudaSuccess;
}
cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream) {
  SIMT_FAULT_POINT();
  const Lock lock(device_mutex);
  if (event->device != stream->device) return result(cudaErrorInvalidResourceHandle);
  event->signal = std::make_shared<Signal>();
  event->signal->capture = stream->capture.get();
  event->time = std::make_shared<std::chrono::steady_clock::time_point>();
  enqueue(stream, {[time = event->time] { *time = std::chrono::steady_clock::now(); }, event->signal, nullptr});
  return cudaSuccess;
}
cudaError_t cudaEventSynchronize(cudaEvent_t event) {
  SIMT_FAULT_POINT();
  const Lock lock(device_mutex);
  return event->signal == nullptr || event->signal->raised ? cudaSuccess : synchronize_all();
}
cudaError_t cudaEventElapsedTime(float* milliseconds, cudaEvent_t from, cudaEvent_t to) {
  *milliseconds = std::chrono::duration<float, std::milli>(*to->time - *from->time).count();
  return cudaSuccess;
}

cudaError_t cudaGraphInstantiate(cudaGraphExec_t* executable, cudaGraph_t graph, unsigned long long) {
  SIMT_FAULT_POINT();
  *executable = new Graph(*graph);
  return cudaSuccess;
}
cudaError_t cudaGraphLaunch(cudaGraphExec_t executable, cudaStream_t stream) {
  SIMT_FAULT_POINT();
  return enqueue_work(stream, [graph = *executable] { run_graph(graph); });
}
cudaError_t cudaGraphExecDestroy(cudaGraphExec_t executable) {
  delete executable;
  return cudaSuccess;
}
cudaError_t cudaGraphDestroy(cudaGraph_t graph) {
  delete graph;
  return cudaSuccess;
}
