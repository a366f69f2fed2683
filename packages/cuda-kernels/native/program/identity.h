#pragma once
#include <atomic>
#include <cstdint>

namespace dpllm {

// A number that no other object of this process has or had, unlike an address; never 0.
inline uint64_t new_identity() {
  static std::atomic<uint64_t> last{0};
  return ++last;
}

}  // namespace dpllm
