#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

namespace dpllm {

// One weight row prepared for 1-D clustering: equal values are merged, because they always share a cluster.
struct SortedRow {
  size_t count = 0;                 // distinct values
  std::vector<float> values;        // [count], ascending
  std::vector<double> weights;      // [count], summed sensitivities of the elements with that value, all > 0
  std::vector<uint32_t> value_of;   // [cols], index into `values` of every element
  std::vector<double> weight_sums;  // [count + 1], weights of the first i values
  std::vector<double> moment_sums;  // [count + 1], sum of weight * (value - mean of the row) over the first i values

  // `sensitivities` may be null: then every element counts 1.
  void assign(const float* row, const float* sensitivities, size_t cols);

 private:
  struct Entry {
    uint32_t key, column;
  };
  std::vector<Entry> order_, swap_;  // [cols]
  void sort_columns(const float* row, size_t cols);
  void merge_equal_values(const float* row, size_t cols);
  void set_weights(const float* row, const float* sensitivities, size_t cols);
  void set_prefix_sums();
};

}  // namespace dpllm
