#pragma once
// Starting kernels, the same way for both builds.
#include <cuda_runtime.h>

#include <string>
#include <tuple>

#include "device/check.h"

namespace dpllm {

// kernel<<<grid, block, shared_bytes, stream>>>(arguments...); nothing for an empty grid. Arguments are copied.
// Throws CudaError naming the kernel.
template <class... Parameters, class... Arguments>
void launch(const char* name, void (*kernel)(Parameters...), dim3 grid, dim3 block, size_t shared_bytes, cudaStream_t stream,
            Arguments... arguments) {
  if (grid.x == 0 || grid.y == 0 || grid.z == 0) return;
#ifdef __CUDACC__
  kernel<<<grid, block, shared_bytes, stream>>>(static_cast<Parameters>(arguments)...);
#else
  std::tuple<Parameters...> copies(static_cast<Parameters>(arguments)...);
  simt::enqueue_grid(stream, grid, block, shared_bytes, [=] { std::apply(kernel, copies); });
#endif
  check(cudaGetLastError(), std::string("launch of ") + name);
}

// Shared memory of the size that the launch says.
#ifdef __CUDACC__
#define DPLLM_DYNAMIC_SHARED(T, name)                                 \
  extern __shared__ __align__(16) unsigned char dpllm_dynamic_shared[]; \
  T* name = reinterpret_cast<T*>(dpllm_dynamic_shared)
#else
#define DPLLM_DYNAMIC_SHARED(T, name) T* name = reinterpret_cast<T*>(simt::dynamic_shared)
#endif

inline unsigned blocks_for(size_t count, size_t per_block) { return static_cast<unsigned>((count + per_block - 1) / per_block); }

}  // namespace dpllm
