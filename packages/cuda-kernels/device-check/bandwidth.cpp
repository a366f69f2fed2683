#include <vector>

#include "device/memory.h"
#include "device/stream.h"
#include "measurements.h"
#include "step_runner.h"

namespace dpllm {

double measure_copy(const Options& options) {
  const size_t bytes = options.megabytes << 20;
  const DeviceBuffer from(0, bytes), to(0, bytes);
  Stream stream(0);
  cudaEvent_t begin, end;
  DPLLM_CUDA(cudaEventCreateWithFlags, &begin, cudaEventDefault);
  DPLLM_CUDA(cudaEventCreateWithFlags, &end, cudaEventDefault);
  DPLLM_CUDA(cudaMemsetAsync, from.as<void>(), 1, bytes, stream);
  std::vector<double> gbps;
  for (int i = 0; i < 12; i++) {
    float milliseconds = 0;
    DPLLM_CUDA(cudaEventRecord, begin, stream);
    DPLLM_CUDA(cudaMemcpyAsync, to.as<void>(), from.as<void>(), bytes, cudaMemcpyDeviceToDevice, stream);
    DPLLM_CUDA(cudaEventRecord, end, stream);
    stream.synchronize();
    DPLLM_CUDA(cudaEventElapsedTime, &milliseconds, begin, end);
    if (i >= 2) gbps.push_back(2e-6 * static_cast<double>(bytes) / milliseconds);
  }
  cudaEventDestroy(begin);
  cudaEventDestroy(end);
  return median(gbps);
}

}  // namespace dpllm
