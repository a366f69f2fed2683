#pragma once
#include <cstdint>
#include <vector>

#include "sorted_row.h"

namespace dpllm {

// A partition of a row's distinct values into c consecutive clusters is c + 1 ascending bounds:
// cluster j holds the values bounds[j] .. bounds[j + 1] - 1.
using Bounds = std::vector<uint32_t>;

// Scratch of seed_partition, kept between rows.
struct SeedScratch {
  std::vector<double> previous, current;  // [count + 1], largest gain of the first i values
  std::vector<uint32_t> starts;           // [clusters + 1, count + 1], where the last of m clusters begins
};

// The partition into `clusters` clusters of least weighted squared error: exact, by dynamic programming.
void seed_partition(const SortedRow& row, uint32_t clusters, SeedScratch& scratch, Bounds& bounds);

// Cuts every cluster in two where the weighted squared error falls most: exact, by trying every cut.
void split_partition(const SortedRow& row, const Bounds& bounds, Bounds& halves);

}  // namespace dpllm
