#include "threads/thread_pool.h"

#include "threads/waiting.h"

namespace dpllm {

// Pieces that a thread cuts its share into: few enough that runs stay long, enough that others can help at the end.
static constexpr uint64_t PIECES = 8;

ThreadPool::ThreadPool(int threads) : threads_(threads), scratch_(threads), shares_(new Share[threads]) {
  try {
    for (int t = 1; t < threads; t++) workers_.emplace_back([this, t] { worker(t); });
  } catch (...) {  // the system grants no more threads
    stop();
    throw;
  }
}

ThreadPool::~ThreadPool() { stop(); }

void ThreadPool::stop() {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    stop_ = true;
    generation_.fetch_add(1);
  }
  wake_.notify_all();
  for (std::thread& t : workers_) t.join();
}

void ThreadPool::reserve_scratch(size_t bytes) {
  for (Buffer& buffer : scratch_) buffer.reserve(bytes);
}

void ThreadPool::run(size_t count, size_t grain, Function function, void* context) {
  count_ = count;
  grain_ = grain;
  function_ = function;
  context_ = context;
  const uint64_t grains = (count + grain - 1) / grain;
  for (int t = 0; t < threads_; t++) {
    shares_[t].range.store((grains * t / threads_) << 32 | grains * (t + 1) / threads_, std::memory_order_relaxed);
  }
  busy_.store(threads_ - 1, std::memory_order_relaxed);
  generation_.fetch_add(1);
  if (sleepers_.load() > 0) {
    std::lock_guard<std::mutex> lock(mutex_);
    wake_.notify_all();
  }
  work(0);
  while (!wait_awake(SPINS, [this] { return busy_.load(std::memory_order_acquire) == 0; })) {
  }
}

void ThreadPool::work(int thread) {
  uint64_t begin, end;
  auto call = [&] {
    const size_t last = end * grain_;
    function_(context_, begin * grain_, last < count_ ? last : count_, thread);
  };
  while (take_front(thread, begin, end)) call();
  for (int i = 1; i < threads_; i++) {
    const int victim = (thread + i) % threads_;
    while (take_back(victim, begin, end)) call();
  }
}

// The owner takes an eighth of its first share at a time, thieves half of what is left.
bool ThreadPool::take_front(int thread, uint64_t& begin, uint64_t& end) {
  std::atomic<uint64_t>& range = shares_[thread].range;
  const uint64_t share = ((count_ + grain_ - 1) / grain_ + threads_ - 1) / threads_;
  const uint64_t piece = (share + PIECES - 1) / PIECES;
  uint64_t seen = range.load(std::memory_order_relaxed);
  for (;;) {
    begin = seen >> 32;
    const uint64_t limit = seen & 0xffffffff;
    if (begin >= limit) return false;
    end = begin + piece < limit ? begin + piece : limit;
    if (range.compare_exchange_weak(seen, end << 32 | limit, std::memory_order_relaxed)) return true;
  }
}

bool ThreadPool::take_back(int victim, uint64_t& begin, uint64_t& end) {
  std::atomic<uint64_t>& range = shares_[victim].range;
  uint64_t seen = range.load(std::memory_order_relaxed);
  for (;;) {
    const uint64_t first = seen >> 32;
    end = seen & 0xffffffff;
    if (first >= end) return false;
    begin = end - (end - first + 1) / 2;
    if (range.compare_exchange_weak(seen, first << 32 | begin, std::memory_order_relaxed)) return true;
  }
}

void ThreadPool::worker(int thread) {
  for (uint32_t seen = 0;; seen++) {
    wait_for_loop(seen);
    if (stop_.load()) return;
    work(thread);
    busy_.fetch_sub(1, std::memory_order_release);
  }
}

void ThreadPool::wait_for_loop(uint32_t seen) {
  if (wait_awake(SPINS, [&] { return generation_.load(std::memory_order_acquire) != seen; })) return;
  // Counted before the check, and the loop's number changes before the count is read: no wake-up is lost.
  std::unique_lock<std::mutex> lock(mutex_);
  sleepers_.fetch_add(1);
  wake_.wait(lock, [&] { return generation_.load() != seen; });
  sleepers_.fetch_sub(1);
}

}  // namespace dpllm
