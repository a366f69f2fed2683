#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

namespace dpllm {

// One weight row prepared for clustering on a line. Equal values are merged: they always share a cluster.
struct SortedRow {
  std::vector<float> values;        // [n], distinct, ascending
  std::vector<double> weights;      // [n], summed sensitivities of the elements with that value, all above 0
  std::vector<uint32_t> value_index;   // [cols], index into `values` of every element
  std::vector<double> weight_sums;  // [n + 1], weight of the first i values
  std::vector<double> moment_sums;  // [n + 1], sum of weight * (value - mean of the row) over the first i values
};

// Scratch of sort_row, kept between rows.
struct SortScratch {
  struct Entry {
    uint32_t key, column;
  };
  std::vector<Entry> entries, sorted;  // [cols]
};

// Prepares a row of `cols` finite values. Sensitivities s: 0 where the weight is 0, 1 everywhere if nothing is left or
// the pointer is null, and at least a millionth of their mean (packages/calibration/src/quantizer/sorted-row.ts).
void sort_row(const float* row, const float* sensitivities, size_t cols, SortScratch& scratch, SortedRow& result);

}  // namespace dpllm
