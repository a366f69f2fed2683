#include "simt/runtime.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "simt/grid.h"

namespace simt {

using Work = std::vector<std::function<void()>>;

// Work is done when the host waits for it, as late as CUDA allows: what does not wait sees what was there before.
struct Stream {
  Work pending;
  bool capturing = false;
  Work captured;
};

struct Graph {
  Work work;
};

namespace {

// Of the device, that is of all streams: one grid runs at a time.
std::recursive_mutex device;
std::set<Stream*> streams;
std::map<void*, size_t> allocations;
size_t allocated = 0;
thread_local cudaError_t last_error = cudaSuccess;
std::string failure;

// Bytes that the device has: DPLLM_SIMT_MEMORY, or 64 GiB. The system gives out pages when they are written.
size_t capacity() {
  const char* bytes = std::getenv("DPLLM_SIMT_MEMORY");
  return bytes == nullptr ? size_t{64} << 30 : static_cast<size_t>(std::strtoull(bytes, nullptr, 10));
}

cudaError_t result(cudaError_t error) {
  if (error != cudaSuccess) last_error = error;
  return error;
}

cudaError_t enqueue(Stream* stream, std::function<void()> work) {
  std::lock_guard<std::recursive_mutex> lock(device);
  (stream->capturing ? stream->captured : stream->pending).push_back(std::move(work));
  return cudaSuccess;
}

cudaError_t run_pending(Stream* stream) {
  Work work;
  work.swap(stream->pending);
  try {
    for (const auto& task : work) task();
  } catch (const std::exception& error) {
    failure = error.what();
    return result(cudaErrorLaunchFailure);
  }
  return cudaSuccess;
}

}  // namespace

void enqueue_grid(Stream* stream, dim3 grid, dim3 block, size_t shared_bytes, std::function<void()> body) {
  enqueue(stream, [=, body = std::move(body)] { run_grid(grid, block, shared_bytes, body); });
}

}  // namespace simt

using namespace simt;
using Lock = std::lock_guard<std::recursive_mutex>;

cudaError_t cudaGetDeviceCount(int* count) {
  *count = 1;
  return cudaSuccess;
}
cudaError_t cudaSetDevice(int index) { return result(index == 0 ? cudaSuccess : cudaErrorInvalidDevice); }

cudaError_t cudaGetDeviceProperties(cudaDeviceProp* properties, int index) {
  if (index != 0) return result(cudaErrorInvalidDevice);
  *properties = {};
  std::snprintf(properties->name, sizeof properties->name, "SIMT shim on the host, for tests");
  properties->totalGlobalMem = capacity();
  properties->multiProcessorCount = 1;
  return cudaSuccess;
}

cudaError_t cudaMemGetInfo(size_t* free, size_t* total) {
  const Lock lock(device);
  *total = capacity();
  *free = *total > allocated ? *total - allocated : 0;
  return cudaSuccess;
}

cudaError_t cudaGetLastError() { return std::exchange(last_error, cudaSuccess); }

const char* cudaGetErrorName(cudaError_t error) {
  switch (error) {
    case cudaSuccess: return "cudaSuccess";
    case cudaErrorInvalidValue: return "cudaErrorInvalidValue";
    case cudaErrorMemoryAllocation: return "cudaErrorMemoryAllocation";
    case cudaErrorInvalidDevice: return "cudaErrorInvalidDevice";
    case cudaErrorLaunchFailure: return "cudaErrorLaunchFailure";
  }
  return "unrecognized error code";
}

const char* cudaGetErrorString(cudaError_t error) {
  switch (error) {
    case cudaSuccess: return "no error";
    case cudaErrorInvalidValue: return "invalid argument";
    case cudaErrorMemoryAllocation: return "out of memory";
    case cudaErrorInvalidDevice: return "invalid device ordinal";
    case cudaErrorLaunchFailure: return failure.c_str();
  }
  return "unrecognized error code";
}

cudaError_t cudaMalloc(void** pointer, size_t bytes) {
  const Lock lock(device);
  *pointer = nullptr;
  if (bytes > capacity() || allocated > capacity() - bytes) return result(cudaErrorMemoryAllocation);
  *pointer = std::aligned_alloc(256, (bytes + 255) / 256 * 256);
  if (*pointer == nullptr) return result(cudaErrorMemoryAllocation);
  std::memset(*pointer, 0xff, bytes);  // NaN, to be seen where it is read before it is written
  allocations[*pointer] = bytes;
  allocated += bytes;
  return cudaSuccess;
}

cudaError_t cudaFree(void* pointer) {
  const Lock lock(device);
  if (pointer == nullptr) return cudaSuccess;
  const auto found = allocations.find(pointer);
  if (found == allocations.end()) return result(cudaErrorInvalidValue);
  cudaError_t error = cudaSuccess;
  for (Stream* stream : streams) {  // as CUDA does, it waits for all
    const cudaError_t one = run_pending(stream);
    if (one != cudaSuccess) error = one;
  }
  allocated -= found->second;
  allocations.erase(found);
  std::free(pointer);
  return error;
}

cudaError_t cudaMallocHost(void** pointer, size_t bytes) {
  *pointer = std::malloc(bytes);
  return result(*pointer == nullptr ? cudaErrorMemoryAllocation : cudaSuccess);
}
cudaError_t cudaFreeHost(void* pointer) {
  std::free(pointer);
  return cudaSuccess;
}

cudaError_t cudaMemcpy(void* to, const void* from, size_t bytes, cudaMemcpyKind) {
  const Lock lock(device);
  std::memcpy(to, from, bytes);
  return cudaSuccess;
}
cudaError_t cudaMemcpyAsync(void* to, const void* from, size_t bytes, cudaMemcpyKind, cudaStream_t stream) {
  return enqueue(stream, [=] { std::memcpy(to, from, bytes); });
}
cudaError_t cudaMemsetAsync(void* pointer, int value, size_t bytes, cudaStream_t stream) {
  return enqueue(stream, [=] { std::memset(pointer, value, bytes); });
}

cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned) {
  const Lock lock(device);
  *stream = new Stream;
  streams.insert(*stream);
  return cudaSuccess;
}
cudaError_t cudaStreamDestroy(cudaStream_t stream) {
  const Lock lock(device);
  const cudaError_t error = run_pending(stream);
  streams.erase(stream);
  delete stream;
  return error;
}
cudaError_t cudaStreamSynchronize(cudaStream_t stream) {
  const Lock lock(device);
  return run_pending(stream);
}

cudaError_t cudaStreamBeginCapture(cudaStream_t stream, cudaStreamCaptureMode) {
  if (std::exchange(stream->capturing, true)) return result(cudaErrorInvalidValue);
  return cudaSuccess;
}
cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t* graph) {
  if (!std::exchange(stream->capturing, false)) return result(cudaErrorInvalidValue);
  *graph = new Graph{std::exchange(stream->captured, {})};
  return cudaSuccess;
}
cudaError_t cudaGraphInstantiate(cudaGraphExec_t* executable, cudaGraph_t graph, unsigned long long) {
  *executable = new Graph(*graph);
  return cudaSuccess;
}
cudaError_t cudaGraphLaunch(cudaGraphExec_t executable, cudaStream_t stream) {
  for (const auto& work : executable->work) enqueue(stream, work);
  return cudaSuccess;
}
cudaError_t cudaGraphExecDestroy(cudaGraphExec_t executable) {
  delete executable;
  return cudaSuccess;
}
cudaError_t cudaGraphDestroy(cudaGraph_t graph) {
  delete graph;
  return cudaSuccess;
}
