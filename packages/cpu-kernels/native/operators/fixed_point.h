#pragma once
#include "program/program.h"
#include "threads/thread_pool.h"

namespace dpllm {

// Centroids as 16-bit integers: of a row with largest magnitude m, centroid c becomes z = round(c / s) + 32768 with
// s = m / 32767, stored as the byte tables high = z >> 8 and low = z & 255 that byte permutes look up.
// Makes the tables of `bits` bits unless they are there. Called from the thread that runs steps only.
const FixedPointTables& fixed_point_tables(Weight& weight, int bits, const Kernels& kernels, ThreadPool& pool);

}  // namespace dpllm
