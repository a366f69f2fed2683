#pragma once
#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "threads/buffer.h"

namespace dpllm {

// Threads that share loops with the one thread that uses the pool. Unpinned: a busy neighbour would hold up a pinned one.
class ThreadPool {
 public:
  explicit ThreadPool(int threads);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  int size() const { return threads_; }

  // body(begin, end, thread) over pieces that make up [0, count), at borders that are multiples of `grain`. Each thread
  // starts with its own contiguous share (long runs stream best); one that is done takes from the end of another's.
  // One piece on the calling thread where count <= grain. body must not throw.
  template <class Body>
  void parallel_for(size_t count, size_t grain, Body&& body) {
    if (count == 0) return;
    if (threads_ == 1 || count <= grain) return body(size_t{0}, count, 0);
    run(count, grain, [](void* context, size_t begin, size_t end, int thread) {
      (*static_cast<std::remove_reference_t<Body>*>(context))(begin, end, thread);
    }, &body);
  }

  // `bytes` of scratch memory for every thread; call before the loop that uses it.
  void reserve_scratch(size_t bytes);
  uint8_t* scratch(int thread) const { return scratch_[thread].as(); }

 private:
  using Function = void (*)(void* context, size_t begin, size_t end, int thread);

  // What is left of a thread's share, in grains: begin in the upper half, end in the lower one.
  struct alignas(64) Share {
    std::atomic<uint64_t> range{0};
  };

  void stop();
  void run(size_t count, size_t grain, Function function, void* context);
  void work(int thread);
  bool take_front(int thread, uint64_t& begin, uint64_t& end);
  bool take_back(int victim, uint64_t& begin, uint64_t& end);
  void worker(int thread);
  void wait_for_loop(uint32_t seen);

  const int threads_;
  std::vector<std::thread> workers_;
  std::vector<Buffer> scratch_;
  std::unique_ptr<Share[]> shares_;

  // The loop that is running.
  size_t count_ = 0, grain_ = 1;
  Function function_ = nullptr;
  void* context_ = nullptr;

  alignas(64) std::atomic<uint32_t> generation_{0};  // of the loop; workers wait for it to change
  alignas(64) std::atomic<int> busy_{0};             // workers that have not finished the loop
  alignas(64) std::atomic<int> sleepers_{0};
  std::atomic<bool> stop_{false};
  std::mutex mutex_;
  std::condition_variable wake_;
};

}  // namespace dpllm
