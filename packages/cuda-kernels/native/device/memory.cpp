#include "device/memory.h"

#include <atomic>
#include <string>

#include "device/check.h"

namespace dpllm {

static std::atomic<size_t> allocated{0};

size_t allocated_device_bytes() { return allocated.load(); }

DeviceBuffer::DeviceBuffer(int device, size_t bytes) : device_(device) {
  if (bytes == 0) return;
  DPLLM_CUDA(cudaSetDevice, device);
  check(cudaMalloc(&pointer_, bytes), "cudaMalloc of " + std::to_string(bytes) + " bytes");
  bytes_ = bytes;
  allocated += bytes;
}

DeviceBuffer::DeviceBuffer(int device, const void* data, size_t bytes) : DeviceBuffer(device, bytes) {
  if (bytes != 0) DPLLM_CUDA(cudaMemcpy, pointer_, data, bytes, cudaMemcpyHostToDevice);
}

// Nobody can be told of an error here. It is forgotten, so that no launch takes it for its own; one that leaves the device
// unusable shows again.
DeviceBuffer::~DeviceBuffer() {
  if (pointer_ == nullptr) return;
  int current = -1;
  if (cudaGetDevice(&current) != cudaSuccess || current != device_) cudaSetDevice(device_);
  cudaFree(pointer_);
  cudaGetLastError();
  allocated -= bytes_;
}

PinnedBuffer::PinnedBuffer(size_t bytes) : bytes_(bytes) {
  if (bytes != 0) check(cudaMallocHost(&pointer_, bytes), "cudaMallocHost of " + std::to_string(bytes) + " bytes");
}

PinnedBuffer::~PinnedBuffer() {
  if (pointer_ != nullptr) cudaFreeHost(pointer_);
}

}  // namespace dpllm
