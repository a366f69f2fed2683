#pragma once
#include "program/step.h"

namespace dpllm {

// Centroids as 16-bit integers: of a row with largest magnitude m, centroid c becomes z = round(c / s) + 32768 with
// s = m / 32767, stored as the byte tables high = z >> 8 and low = z & 255 that byte permutes look up.
// Up to BYTE_CENTROID_BITS bits in fast arithmetic, z = 256 (round(c / s) + 128): low bytes are 0, and s is the step at which
// the row's centroids lose least.
// Makes the tables of `bits` bits unless they are there. Called from the thread that runs steps only.
const FixedPointTables& fixed_point_tables(Execution& e, Weight& weight, int bits);

}  // namespace dpllm
