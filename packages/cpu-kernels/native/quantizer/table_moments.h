#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

namespace dpllm {

// A row of a matrix and the classes that its elements are in.
struct CodedRow {
  const float* weights;  // [cols]
  const uint8_t* codes;  // [cols], below the number of classes
};

// What the squared error of a row's outputs depends on: with H [cols, cols] the covariance of the inputs, w the row's
// weights and A [cols, classes] its codes, one-hot.
struct TableMoments {
  std::vector<double> gram;      // [classes, classes], A^T H A
  std::vector<double> products;  // [classes], A^T H w
};

struct MomentScratch {
  std::vector<float> block;  // some columns of H, packed
  std::vector<float> sums;   // [classes, columns of a block], A^T H
};

// The moments of several rows: the more at a time, the less often H is read. Sums over the columns of a class are floats
// in ascending order of the column, all others doubles, as in packages/calibration/src/tables/refit-moments.ts.
void compute_table_moments(const float* covariance, size_t cols, size_t classes, const std::vector<CodedRow>& rows,
                           MomentScratch& scratch, std::vector<TableMoments>& moments);

}  // namespace dpllm
