#include "device/properties.h"

#include <map>
#include <mutex>

namespace dpllm {

static const cudaDeviceProp& properties() {
  static std::mutex mutex;
  static std::map<int, cudaDeviceProp> known;
  int device = 0;
  DPLLM_CUDA(cudaGetDevice, &device);
  const std::lock_guard<std::mutex> lock(mutex);
  const auto found = known.find(device);
  if (found != known.end()) return found->second;
  cudaDeviceProp asked;
  DPLLM_CUDA(cudaGetDeviceProperties, &asked, device);
  return known.emplace(device, asked).first->second;
}

int multiprocessors() { return properties().multiProcessorCount; }
size_t max_shared_bytes() { return properties().sharedMemPerBlockOptin; }

}  // namespace dpllm
