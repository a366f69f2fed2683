#pragma once
#include <sched.h>

#include <chrono>

namespace dpllm {

inline void pause_core() {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

// Some microseconds: operators of one step follow each other that fast.
constexpr int SPINS = 2000;

// Waits awake for ready(): some turns of spinning, then, for no longer than between two steps of generation, giving the core to
// whoever wants it, so that another busy process cannot stall a step. False if it is time to sleep.
template <class Ready>
bool wait_awake(int spins, Ready&& ready) {
  constexpr std::chrono::microseconds AWAKE(300);
  for (; spins > 0; spins--) {
    if (ready()) return true;
    pause_core();
  }
  const auto asleep = std::chrono::steady_clock::now() + AWAKE;
  do {
    if (ready()) return true;
    sched_yield();
  } while (std::chrono::steady_clock::now() < asleep);
  return false;
}

}  // namespace dpllm
