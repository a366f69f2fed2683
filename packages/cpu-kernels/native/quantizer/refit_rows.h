#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

namespace dpllm {

// The tables of one bit count.
struct RefitTables {
  uint32_t bits;
  const uint16_t* old;  // [rows, 2^bits] half floats
  uint16_t* fitted;     // out: [count, 2^bits] half floats
};

// Rows first .. first + count - 1 of a matrix of nested bit-planes.
struct RefitRows {
  const float* covariance;  // [cols, cols], symmetric, finite
  const float* weights;     // [count, cols], the original rows
  const uint32_t* planes;   // [at least the most bits, rows, ceil(cols / 32)], most significant first
  size_t rows, cols, first, count;
  std::vector<RefitTables> tables;  // ascending bit counts
};

// Tables that fit the outputs best by least squares, for fixed codes: the steps of
// packages/calibration/src/tables/refit-rows.ts, with the same bits as its result, shared out to `threads` threads.
// Rethrows what a thread threw.
void refit_rows(const RefitRows& task, unsigned threads);

}  // namespace dpllm
