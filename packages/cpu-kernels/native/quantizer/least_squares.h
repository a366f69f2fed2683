#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

#include "table_moments.h"

namespace dpllm {

struct LeastSquaresScratch {
  std::vector<uint32_t> used, group_of, merged_into;
  std::vector<double> matrix, right_side, merged_matrix, merged_right_side, factor, solution, column;
};

// Adds up the classes that share a group: out[group_of[i], group_of[j]] = the sum of matrix[i, j], and so the right side.
void merge_classes(const double* matrix, const double* right_side, size_t size, const uint32_t* group_of, size_t groups,
                   std::vector<double>& merged_matrix, std::vector<double>& merged_right_side);

// The ascending table [classes] of least squared error of a row's outputs, near the table `old` where the inputs say
// nothing; `counts` are the elements in each class. The steps of packages/calibration/src/tables/least-squares.ts, which
// says what is computed, and with the same bits.
void fit_table(const TableMoments& moments, const std::vector<uint32_t>& counts, const std::vector<double>& old,
               LeastSquaresScratch& scratch, std::vector<double>& table);

}  // namespace dpllm
