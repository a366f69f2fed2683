#pragma once
#include <cuda_runtime.h>

#include <utility>

#include "device/check.h"

namespace dpllm {

// A queue of one device's work. Its members may be called on any thread, by one at a time.
class Stream {
 public:
  explicit Stream(int device) {
    DPLLM_CUDA(cudaSetDevice, device);
    DPLLM_CUDA(cudaStreamCreateWithFlags, &stream_, cudaStreamNonBlocking);
  }
  ~Stream() { cudaStreamDestroy(stream_); }
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  void synchronize() const { DPLLM_CUDA(cudaStreamSynchronize, stream_); }
  operator cudaStream_t() const { return stream_; }

 private:
  cudaStream_t stream_ = nullptr;
};

// A place in a stream's work that another stream of the same device can wait for.
class Event {
 public:
  explicit Event(int device) {
    DPLLM_CUDA(cudaSetDevice, device);
    DPLLM_CUDA(cudaEventCreateWithFlags, &event_, cudaEventDisableTiming);
  }
  ~Event() {
    if (event_ != nullptr) cudaEventDestroy(event_);
  }
  Event(Event&& other) noexcept : event_(std::exchange(other.event_, nullptr)) {}
  Event& operator=(Event&&) = delete;

  void record(cudaStream_t stream) { DPLLM_CUDA(cudaEventRecord, event_, stream); }
  void make_wait(cudaStream_t stream) { DPLLM_CUDA(cudaStreamWaitEvent, stream, event_, 0); }

 private:
  cudaEvent_t event_ = nullptr;
};

// Work that was recorded from a stream and can be put into it again as a whole.
class Graph {
 public:
  // Records what `record` puts into the stream; nothing of it runs.
  template <class Record>
  Graph(cudaStream_t stream, Record&& record) {
    DPLLM_CUDA(cudaStreamBeginCapture, stream, cudaStreamCaptureModeThreadLocal);
    cudaGraph_t graph = nullptr;
    try {
      record();
    } catch (...) {
      if (cudaStreamEndCapture(stream, &graph) == cudaSuccess && graph != nullptr) cudaGraphDestroy(graph);
      cudaGetLastError();
      throw;
    }
    DPLLM_CUDA(cudaStreamEndCapture, stream, &graph);
    const cudaError_t error = cudaGraphInstantiate(&executable_, graph, 0);
    cudaGraphDestroy(graph);
    check(error, "cudaGraphInstantiate");
  }
  ~Graph() { cudaGraphExecDestroy(executable_); }
  Graph(const Graph&) = delete;
  Graph& operator=(const Graph&) = delete;

  void launch(cudaStream_t stream) { DPLLM_CUDA(cudaGraphLaunch, executable_, stream); }

 private:
  cudaGraphExec_t executable_ = nullptr;
};

}  // namespace dpllm
