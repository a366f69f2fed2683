#include "quantize_rows.h"

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>

namespace dpllm {

// Spreads the codes of one row over its words in every plane: bit i of word w is column 32w + i.
static void pack_row(const QuantizeRows& task, size_t row, const RowScratch& scratch) {
  const size_t words = (task.cols + 31) / 32;
  for (size_t word = 0; word < words; word++) {
    const size_t columns = std::min<size_t>(32, task.cols - 32 * word);
    uint32_t bits[8] = {};
    for (size_t i = 0; i < columns; i++) {
      const uint32_t code = scratch.leaf_of[scratch.row.value_index[32 * word + i]];
      for (uint32_t b = 0; b < 8; b++) bits[b] |= ((code >> b) & 1u) << i;
    }
    for (uint32_t plane = 0; plane < task.max_bits; plane++) {
      task.planes[(plane * task.rows + row) * words + word] = bits[task.max_bits - 1 - plane];
    }
  }
}

void quantize_row(const QuantizeRows& task, size_t row, RowScratch& s) {
  const size_t offset = row * task.cols;
  const float* sensitivities = task.sensitivities == nullptr ? nullptr : task.sensitivities + offset;
  sort_row(task.weights + offset, sensitivities, task.cols, s.sort, s.row);
  seed_partition(s.row, 1u << task.seed_bits, s.seed, s.bounds);
  for (uint32_t bits = task.seed_bits; bits < task.max_bits; bits++) {
    split_partition(s.row, s.bounds, s.halves);
    std::swap(s.bounds, s.halves);
  }
  compute_centroids(s.row, s.bounds, task.seed_bits, task.max_bits, s.centroids);
  for (uint32_t bits = task.seed_bits; bits <= task.max_bits; bits++) {
    const size_t count = size_t{1} << bits;
    uint16_t* lut = task.luts[bits - task.seed_bits] + row * count;
    for (size_t i = 0; i < count; i++) lut[i] = half_bits(s.centroids.centroids[count + i]);
  }
  s.leaf_of.resize(s.row.values.size());
  for (uint32_t leaf = 0; leaf + 1 < s.bounds.size(); leaf++) {
    for (uint32_t i = s.bounds[leaf]; i < s.bounds[leaf + 1]; i++) s.leaf_of[i] = static_cast<uint8_t>(leaf);
  }
  pack_row(task, row, s);
}

void quantize_rows(const QuantizeRows& task, unsigned threads) {
  std::atomic<size_t> next{0};
  std::exception_ptr failure;
  std::mutex failure_mutex;
  auto work = [&] {
    try {
      RowScratch scratch;
      for (size_t row = next++; row < task.rows; row = next++) quantize_row(task, row, scratch);
    } catch (...) {
      const std::lock_guard<std::mutex> lock(failure_mutex);
      failure = std::current_exception();
      next = task.rows;
    }
  };
  const size_t helpers = std::min<size_t>(threads, task.rows);
  std::vector<std::thread> pool;
  try {
    for (size_t i = 1; i < helpers; i++) pool.emplace_back(work);
  } catch (const std::system_error&) {
    // The system grants no more threads: those that there are do the work.
  }
  work();
  for (std::thread& thread : pool) thread.join();
  if (failure) std::rethrow_exception(failure);
}

}  // namespace dpllm
