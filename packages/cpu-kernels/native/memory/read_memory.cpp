#include "memory/read_memory.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstring>
#include <thread>

namespace dpllm {

// A cache line. The compiler makes it of what vectors the target has.
typedef uint64_t Line __attribute__((vector_size(64)));

// With narrow loads too few lines are under way at a time, and asking early helps by a fifth; with whole lines it costs a little.
template <size_t PREFETCH>
static inline __attribute__((always_inline)) uint64_t sum_lines(const uint8_t* data, size_t bytes) {
  Line sums[4] = {};
  size_t i = 0;
  for (; i + sizeof sums <= bytes; i += sizeof sums) {
    if (PREFETCH > 0)
      for (size_t j = 0; j < sizeof sums; j += sizeof(Line)) __builtin_prefetch(data + i + j + PREFETCH);
    Line lines[4];
    memcpy(lines, data + i, sizeof lines);
    for (int j = 0; j < 4; j++) sums[j] += lines[j];
  }
  uint64_t sum = 0;
  for (; i < bytes; i++) sum += data[i];
  for (const Line& line : sums)
    for (int j = 0; j < 8; j++) sum += line[j];
  return sum;
}

static uint64_t sum_narrow(const uint8_t* data, size_t bytes) { return sum_lines<8192>(data, bytes); }

#if defined(__x86_64__)
__attribute__((target("avx512f"))) static uint64_t sum_wide(const uint8_t* data, size_t bytes) { return sum_lines<0>(data, bytes); }

static bool has_wide() {
  __builtin_cpu_init();
  return __builtin_cpu_supports("avx512f");
}
#else
static const auto sum_wide = sum_narrow;
static bool has_wide() { return false; }
#endif

// Bytes [begin, end) of the spans one after another.
static uint64_t sum_range(const std::vector<ReadMemory::Span>& spans, size_t begin, size_t end) {
  static const auto sum_bytes = has_wide() ? sum_wide : sum_narrow;
  uint64_t sum = 0;
  size_t start = 0;
  for (const ReadMemory::Span& span : spans) {
    const size_t from = std::max(begin, start), to = std::min(end, start + span.bytes);
    if (from < to) sum += sum_bytes(span.data + (from - start), to - from);
    start += span.bytes;
  }
  return sum;
}

void read_memory(const ReadMemory& task, unsigned threads) {
  size_t bytes = 0;
  for (const ReadMemory::Span& span : task.spans) bytes += span.bytes;
  std::atomic<unsigned> waiting{threads}, reading{threads};
  std::atomic<uint64_t> sum{0};  // so that nothing is left out
  const auto share = [&](unsigned thread) {
    waiting--;
    while (waiting > 0) std::this_thread::yield();
    sum += sum_range(task.spans, bytes * thread / threads, bytes * (thread + 1) / threads);
    reading--;
  };

  std::vector<std::thread> others;
  for (unsigned thread = 1; thread < threads; thread++) others.emplace_back(share, thread);
  while (waiting > 1) std::this_thread::yield();
  const auto begin = std::chrono::steady_clock::now();
  share(0);
  while (reading > 0) std::this_thread::yield();
  *task.milliseconds = std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin).count();
  for (std::thread& other : others) other.join();
}

}  // namespace dpllm
