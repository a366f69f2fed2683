#pragma once
// What the files of the shim's runtime share.
#include <mutex>
#include <string>

#include "simt/runtime.h"

namespace simt {

// Of all devices and streams: one grid runs at a time.
extern std::recursive_mutex device_mutex;
using Lock = std::lock_guard<std::recursive_mutex>;

// The calling thread's device.
int current_device();

// Remembers an error for cudaGetLastError; returns it.
cudaError_t result(cudaError_t error);
// Why a kernel failed, for cudaGetErrorString.
extern std::string failure;

// The error that DPLLM_SIMT_FAIL wants of this call, or cudaSuccess.
cudaError_t injected_fault(const char* call);
#define SIMT_FAULT_POINT() \
  if (const cudaError_t fault = simt::injected_fault(__func__)) return simt::result(fault)

// Runs what is pending everywhere, as cudaFree does.
cudaError_t synchronize_all();

}  // namespace simt
