#include "sorted_row.h"

#include <cstring>
#include <utility>

namespace dpllm {

// Sensitivities below this part of the row's mean count as this part: elements of no weight still get the nearest
// sensible code, and no cluster's weight is lost in rounding.
static constexpr double kSensitivityFloor = 1e-6;

// The bits of a float as an integer that orders like the float.
static inline uint32_t sort_key(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  return (bits >> 31) != 0 ? ~bits : bits | 0x80000000u;
}

// Least-significant-digit radix sort of (key, column) pairs, 8 bits a pass; several times faster than comparing.
void SortedRow::sort_columns(const float* row, size_t cols) {
  order_.resize(cols);
  swap_.resize(cols);
  uint32_t counts[4][256] = {};
  for (size_t i = 0; i < cols; i++) {
    const uint32_t key = sort_key(row[i] + 0.0f);  // -0 becomes +0
    order_[i] = {key, static_cast<uint32_t>(i)};
    for (int digit = 0; digit < 4; digit++) counts[digit][(key >> (8 * digit)) & 255]++;
  }
  for (int digit = 0; digit < 4; digit++) {
    uint32_t start = 0;
    for (uint32_t& count : counts[digit]) {
      const uint32_t n = count;
      count = start;
      start += n;
    }
    for (const Entry& entry : order_) swap_[counts[digit][(entry.key >> (8 * digit)) & 255]++] = entry;
    std::swap(order_, swap_);
  }
}

void SortedRow::merge_equal_values(const float* row, size_t cols) {
  sort_columns(row, cols);
  values.resize(cols);
  value_of.resize(cols);
  count = 0;
  for (size_t i = 0; i < cols; i++) {
    if (i == 0 || order_[i].key != order_[i - 1].key) values[count++] = row[order_[i].column] + 0.0f;
    value_of[order_[i].column] = static_cast<uint32_t>(count - 1);
  }
  values.resize(count);
}

void SortedRow::set_weights(const float* row, const float* sensitivities, size_t cols) {
  weights.assign(count, 0.0);
  double total = 0;
  if (sensitivities != nullptr) {
    for (size_t i = 0; i < cols; i++) total += row[i] == 0 ? 0.0 : sensitivities[i];
  }
  if (total == 0) {
    for (size_t i = 0; i < cols; i++) weights[value_of[i]] += 1;
    return;
  }
  const double floor = (total / static_cast<double>(cols)) * kSensitivityFloor;
  for (size_t i = 0; i < cols; i++) {
    const double s = row[i] == 0 ? 0.0 : sensitivities[i];
    weights[value_of[i]] += s > floor ? s : floor;
  }
}

void SortedRow::set_prefix_sums() {
  double total = 0;
  double moment = 0;
  for (size_t i = 0; i < count; i++) {
    total += weights[i];
    moment += weights[i] * values[i];
  }
  const double mean = moment / total;
  weight_sums.resize(count + 1);
  moment_sums.resize(count + 1);
  weight_sums[0] = 0;
  moment_sums[0] = 0;
  for (size_t i = 0; i < count; i++) {
    weight_sums[i + 1] = weight_sums[i] + weights[i];
    moment_sums[i + 1] = moment_sums[i] + weights[i] * (values[i] - mean);
  }
}

void SortedRow::assign(const float* row, const float* sensitivities, size_t cols) {
  merge_equal_values(row, cols);
  set_weights(row, sensitivities, cols);
  set_prefix_sums();
}

}  // namespace dpllm
