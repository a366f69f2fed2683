#pragma once
// Reading memory as fast as it can be read: what kernels that are bound by memory are measured against.
#include <cstddef>
#include <cstdint>
#include <vector>

namespace dpllm {

struct ReadMemory {
  struct Span {
    const uint8_t* data;
    size_t bytes;
  };
  std::vector<Span> spans;
  double* milliseconds;  // is set to what reading took, without the starting of threads
};

// Reads all spans once, front to back; every thread its own contiguous share of them all.
void read_memory(const ReadMemory& task, unsigned threads);

}  // namespace dpllm
