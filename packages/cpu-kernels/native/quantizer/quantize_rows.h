#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

#include "centroids.h"
#include "partition.h"
#include "sorted_row.h"

namespace dpllm {

struct QuantizeRows {
  const float* weights;         // [rows, cols], finite, magnitudes up to 65504
  const float* sensitivities;   // [rows, cols], finite and not negative, or null for 1 everywhere
  size_t rows, cols;
  uint32_t seed_bits, max_bits;  // 1 <= seed_bits <= max_bits <= 8
  uint32_t* planes;             // out: [max_bits, rows, ceil(cols / 32)], most significant first, all zero before
  std::vector<uint16_t*> luts;  // out: luts[b - seed_bits] is [rows, 2^b] half floats
};

struct RowScratch {
  SortScratch sort;
  SortedRow row;
  SeedScratch seed;
  CentroidScratch centroids;
  Bounds bounds, halves;
  std::vector<uint8_t> leaf_of;  // [distinct values], cluster at max_bits
};

// One row, in the steps of packages/calibration/src/quantizer/quantize-rows.ts and with the same bits as its result.
void quantize_row(const QuantizeRows& task, size_t row, RowScratch& scratch);

// All rows, shared out to `threads` threads. Rethrows what a thread threw.
void quantize_rows(const QuantizeRows& task, unsigned threads);

}  // namespace dpllm
