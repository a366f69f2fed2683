// Devices, errors and memory.
#include "simt/runtime.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <utility>

#include "simt/state.h"

namespace simt {

std::recursive_mutex device_mutex;
std::string failure;

namespace {

struct Allocation {
  int device;
  size_t bytes;
};

std::map<void*, Allocation> allocations;
std::map<int, size_t> allocated;  // by device
thread_local int device = 0;
thread_local cudaError_t last_error = cudaSuccess;

size_t number_of(const char* variable, size_t otherwise) {
  const char* text = std::getenv(variable);
  return text == nullptr ? otherwise : static_cast<size_t>(std::strtoull(text, nullptr, 10));
}

int devices() { return static_cast<int>(number_of("DPLLM_SIMT_DEVICES", 1)); }
// The system gives out pages when they are written.
size_t capacity() { return number_of("DPLLM_SIMT_MEMORY", size_t{64} << 30); }

}  // namespace

int current_device() { return device; }

cudaError_t result(cudaError_t error) {
  if (error != cudaSuccess) last_error = error;
  return error;
}

cudaError_t injected_fault(const char* call) {
  static std::mutex mutex;
  static std::string wanted;
  static size_t calls = 0;
  const char* text = std::getenv("DPLLM_SIMT_FAIL");
  const std::lock_guard<std::mutex> lock(mutex);
  if (text == nullptr) {
    wanted.clear();
    return cudaSuccess;
  }
  if (wanted != text) wanted = text, calls = 0;
  const size_t colon = wanted.find(':');
  if (wanted.compare(0, colon, call) != 0) return cudaSuccess;
  if (++calls != std::strtoull(wanted.c_str() + colon + 1, nullptr, 10)) return cudaSuccess;
  if (wanted.find("Malloc") != std::string::npos) return cudaErrorMemoryAllocation;
  return wanted.compare(0, colon, "launch") == 0 ? cudaErrorLaunchOutOfResources : cudaErrorUnknown;
}

}  // namespace simt

using namespace simt;

cudaError_t cudaGetDeviceCount(int* count) {
  SIMT_FAULT_POINT();
  *count = devices();
  return cudaSuccess;
}
cudaError_t cudaSetDevice(int index) {
  SIMT_FAULT_POINT();
  if (index < 0 || index >= devices()) return result(cudaErrorInvalidDevice);
  device = index;
  return cudaSuccess;
}
cudaError_t cudaGetDevice(int* index) {
  *index = device;
  return cudaSuccess;
}

cudaError_t cudaGetDeviceProperties(cudaDeviceProp* properties, int index) {
  SIMT_FAULT_POINT();
  if (index < 0 || index >= devices()) return result(cudaErrorInvalidDevice);
  *properties = {};
  std::snprintf(properties->name, sizeof properties->name, "SIMT shim on the host, for tests");
  properties->totalGlobalMem = capacity();
  properties->multiProcessorCount = 8;
  properties->sharedMemPerBlockOptin = MAX_DYNAMIC_SHARED;
  return cudaSuccess;
}

cudaError_t cudaMemGetInfo(size_t* free, size_t* total) {
  const Lock lock(device_mutex);
  *total = capacity();
  *free = *total - std::min(*total, allocated[device]);
  return cudaSuccess;
}

cudaError_t cudaGetLastError() { return std::exchange(last_error, cudaSuccess); }

const char* cudaGetErrorName(cudaError_t error) {
  switch (error) {
    case cudaSuccess: return "cudaSuccess";
    case cudaErrorInvalidValue: return "cudaErrorInvalidValue";
    case cudaErrorMemoryAllocation: return "cudaErrorMemoryAllocation";
    case cudaErrorInvalidDevice: return "cudaErrorInvalidDevice";
    case cudaErrorInvalidResourceHandle: return "cudaErrorInvalidResourceHandle";
    case cudaErrorLaunchOutOfResources: return "cudaErrorLaunchOutOfResources";
    case cudaErrorLaunchFailure: return "cudaErrorLaunchFailure";
    case cudaErrorStreamCaptureUnjoined: return "cudaErrorStreamCaptureUnjoined";
    case cudaErrorStreamCaptureIsolation: return "cudaErrorStreamCaptureIsolation";
    case cudaErrorUnknown: return "cudaErrorUnknown";
  }
  return "unrecognized error code";
}

const char* cudaGetErrorString(cudaError_t error) {
  switch (error) {
    case cudaSuccess: return "no error";
    case cudaErrorInvalidValue: return "invalid argument";
    case cudaErrorMemoryAllocation: return "out of memory";
    case cudaErrorInvalidDevice: return "invalid device ordinal";
    case cudaErrorInvalidResourceHandle: return "invalid resource handle";
    case cudaErrorLaunchOutOfResources: return "too many resources requested for launch";
    case cudaErrorLaunchFailure: return failure.c_str();
    case cudaErrorStreamCaptureUnjoined: return "capturing stream has unjoined work";
    case cudaErrorStreamCaptureIsolation: return "dependency created on uncaptured work in another stream";
    case cudaErrorUnknown: return "unknown error";
  }
  return "unrecognized error code";
}

cudaError_t cudaMalloc(void** pointer, size_t bytes) {
  SIMT_FAULT_POINT();
  const Lock lock(device_mutex);
  *pointer = nullptr;
  if (bytes > capacity() || allocated[device] > capacity() - bytes) return result(cudaErrorMemoryAllocation);
  *pointer = std::aligned_alloc(256, (bytes + 255) / 256 * 256);
  if (*pointer == nullptr) return result(cudaErrorMemoryAllocation);
  std::memset(*pointer, 0xff, bytes);  // NaN, to be seen where it is read before it is written
  allocations[*pointer] = {device, bytes};
  allocated[device] += bytes;
  return cudaSuccess;
}

cudaError_t cudaFree(void* pointer) {
  const Lock lock(device_mutex);
  if (pointer == nullptr) return cudaSuccess;
  const auto found = allocations.find(pointer);
  if (found == allocations.end()) return result(cudaErrorInvalidValue);
  const cudaError_t error = synchronize_all();
  allocated[found->second.device] -= found->second.bytes;
  allocations.erase(found);
  std::free(pointer);
  return error;
}

cudaError_t cudaMallocHost(void** pointer, size_t bytes) {
  SIMT_FAULT_POINT();
  *pointer = std::malloc(bytes);
  return result(*pointer == nullptr ? cudaErrorMemoryAllocation : cudaSuccess);
}
cudaError_t cudaFreeHost(void* pointer) {
  const Lock lock(device_mutex);
  const cudaError_t error = synchronize_all();
  std::free(pointer);
  return error;
}

cudaError_t cudaMemcpy(void* to, const void* from, size_t bytes, cudaMemcpyKind) {
  SIMT_FAULT_POINT();
  const Lock lock(device_mutex);
  std::memcpy(to, from, bytes);
  return cudaSuccess;
}
