#pragma once
#include <cstdint>
#include <vector>

#include "partition.h"
#include "sorted_row.h"

namespace dpllm {

// Sums over the clusters of all levels, kept between rows. Level b starts at 2^b: node i has the children 2i, 2i + 1.
struct CentroidScratch {
  std::vector<double> weights, moments;  // [2^(max_bits + 1)], sums of weight and of weight * value
  std::vector<double> centroids;         // [2^(max_bits + 1)]
};

// The weighted mean of every cluster at every bit count from seed_bits to max_bits. Those of b bits stand in
// scratch.centroids at 2^b .. 2^(b + 1) - 1, ascending: a mean is held within the values of its cluster. An empty
// cluster takes its parent's centroid; at seed_bits, its left neighbour's. `leaves` is the partition at max_bits.
void compute_centroids(const SortedRow& row, const Bounds& leaves, uint32_t seed_bits, uint32_t max_bits,
                       CentroidScratch& scratch);

// Nearest half, ties to even (the value is first rounded to float). Magnitudes up to 65504.
uint16_t half_bits(double value);

}  // namespace dpllm
