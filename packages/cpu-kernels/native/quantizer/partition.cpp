#include "partition.h"

#include <algorithm>

namespace dpllm {

// How much one cluster of the values [a, b) lowers the squared error below that of the whole row's mean. The sum of
// w (x - c)^2 over a cluster is its sum of w x^2, which no partition changes, minus this.
static inline double gain(double weight, double moment) { return moment * moment / weight; }

// For every i from `first` to the row's end, where the last of `clusters` clusters over the first i values begins best.
// That place moves right with i and with the number of clusters, so each is searched between its neighbours' places
// and not before that of one cluster less (`floors`), from coarse to fine. Ties go left.
static void add_cluster(const SortedRow& row, size_t clusters, size_t first, const double* previous,
                        const uint32_t* floors, double* current, uint32_t* starts) {
  const size_t last = row.values.size();
  const double* weight_sums = row.weight_sums.data();
  const double* moment_sums = row.moment_sums.data();
  size_t step = 1;
  while (step <= last - first) step *= 2;
  for (; step >= 1; step /= 2) {
    for (size_t i = first + step - 1; i <= last; i += 2 * step) {
      size_t low = std::max<size_t>(floors[i], clusters - 1);
      if (i >= first + step) low = std::max<size_t>(low, starts[i - step]);
      const size_t high = i + step <= last ? std::min<size_t>(i - 1, starts[i + step]) : i - 1;
      const double weight = weight_sums[i];
      const double moment = moment_sums[i];
      double best = -1;
      size_t start = low;
      for (size_t j = low; j <= high; j++) {
        const double value = previous[j] + gain(weight - weight_sums[j], moment - moment_sums[j]);
        if (value > best) {
          best = value;
          start = j;
        }
      }
      current[i] = best;
      starts[i] = static_cast<uint32_t>(start);
    }
  }
}

void seed_partition(const SortedRow& row, uint32_t clusters, SeedScratch& scratch, Bounds& bounds) {
  const size_t n = row.values.size();
  bounds.resize(clusters + 1);
  if (n <= clusters) {
    for (uint32_t j = 0; j <= clusters; j++) bounds[j] = std::min<uint32_t>(j, static_cast<uint32_t>(n));
    return;
  }
  scratch.previous.resize(n + 1);
  scratch.current.resize(n + 1);
  scratch.starts.resize((clusters + 1) * (n + 1));
  uint32_t* starts = scratch.starts.data();
  for (size_t i = 1; i <= n; i++) {
    scratch.previous[i] = gain(row.weight_sums[i], row.moment_sums[i]);
    starts[(n + 1) + i] = 0;
  }
  for (uint32_t m = 2; m <= clusters; m++) {
    const size_t first = m == clusters ? n : m;
    add_cluster(row, m, first, scratch.previous.data(), starts + (m - 1) * (n + 1), scratch.current.data(),
                starts + m * (n + 1));
    std::swap(scratch.previous, scratch.current);
  }
  bounds[clusters] = static_cast<uint32_t>(n);
  for (uint32_t m = clusters; m >= 1; m--) bounds[m - 1] = m == 1 ? 0 : starts[m * (n + 1) + bounds[m]];
}

void split_partition(const SortedRow& row, const Bounds& bounds, Bounds& halves) {
  const size_t clusters = bounds.size() - 1;
  halves.resize(2 * clusters + 1);
  halves[0] = bounds[0];
  for (size_t j = 0; j < clusters; j++) {
    const uint32_t begin = bounds[j];
    const uint32_t end = bounds[j + 1];
    uint32_t cut = end;
    if (end - begin >= 2) {
      const double weight = row.weight_sums[end] - row.weight_sums[begin];
      const double mean = (row.moment_sums[end] - row.moment_sums[begin]) / weight;
      double best = -1;
      for (uint32_t d = begin + 1; d < end; d++) {
        const double left = row.weight_sums[d] - row.weight_sums[begin];
        const double right = row.weight_sums[end] - row.weight_sums[d];
        const double moment = row.moment_sums[d] - row.moment_sums[begin] - mean * left;
        const double value = moment * moment / (left * right);
        if (value > best) {
          best = value;
          cut = d;
        }
      }
    }
    halves[2 * j + 1] = cut;
    halves[2 * j + 2] = end;
  }
}

}  // namespace dpllm
