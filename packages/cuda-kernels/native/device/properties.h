#pragma once
// What the current device offers kernels.
#include <cuda_runtime.h>

#include "device/check.h"

namespace dpllm {

// Asked for once for each device. Throw CudaError.
int multiprocessors();
size_t max_shared_bytes();  // of a block

// Lets a kernel have more dynamic shared memory than the 48 KiB that every kernel may. Throws CudaError.
template <class Kernel>
void allow_shared(Kernel* kernel, size_t bytes) {
#ifdef __CUDACC__
  if (bytes > 48 * 1024)
    DPLLM_CUDA(cudaFuncSetAttribute, kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, static_cast<int>(bytes));
#else
  (void)kernel, (void)bytes;
#endif
}

}  // namespace dpllm
