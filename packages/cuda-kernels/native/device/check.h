#pragma once
// Calls of the CUDA runtime whose errors are exceptions.
#include <cuda_runtime.h>

#include <stdexcept>
#include <string>

namespace dpllm {

// A call of the CUDA runtime that failed: "cudaMalloc of 12 bytes: out of memory (cudaErrorMemoryAllocation)".
struct CudaError : std::runtime_error {
  CudaError(const std::string& call, cudaError_t code)
      : std::runtime_error(call + ": " + cudaGetErrorString(code) + " (" + cudaGetErrorName(code) + ")"), code(code) {}
  cudaError_t code;
};

// Throws CudaError naming the call, unless it succeeded. The runtime forgets errors that leave the device usable.
inline void check(cudaError_t code, const std::string& call) {
  if (code == cudaSuccess) return;
  cudaGetLastError();
  throw CudaError(call, code);
}

// check(cudaStreamSynchronize(stream)) with the function's name
#define DPLLM_CUDA(function, ...) ::dpllm::check(function(__VA_ARGS__), #function)

}  // namespace dpllm
