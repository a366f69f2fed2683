#include "least_squares.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace dpllm {

// Weight of the old table, as a part of the mean diagonal of the normal equations.
static constexpr double RIDGE = 1e-4;
// Largest magnitude of a half.
static constexpr double MAX_F16 = 65504;

void merge_classes(const double* matrix, const double* right_side, size_t size, const uint32_t* group_of, size_t groups,
                   std::vector<double>& merged_matrix, std::vector<double>& merged_right_side) {
  merged_matrix.assign(groups * groups, 0.0);
  merged_right_side.assign(groups, 0.0);
  for (size_t i = 0; i < size; i++) {
    double* row = merged_matrix.data() + group_of[i] * groups;
    for (size_t j = 0; j < size; j++) row[group_of[j]] += matrix[i * size + j];
    merged_right_side[group_of[i]] += right_side[i];
  }
}

// Solves s.matrix x = s.right_side by Cholesky's method without roots (L D L^T), from the lower triangle.
// False if a pivot is not positive.
static bool solve(LeastSquaresScratch& s) {
  const size_t size = s.right_side.size();
  s.factor = s.matrix;
  s.solution = s.right_side;
  s.column.resize(size);
  double* a = s.factor.data();
  double* x = s.solution.data();
  double* __restrict column = s.column.data();
  for (size_t j = 0; j < size; j++) {
    const double pivot = a[j * size + j];
    if (!(pivot > 0)) return false;
    for (size_t i = j + 1; i < size; i++) column[i] = a[i * size + j];
    for (size_t i = j + 1; i < size; i++) {
      const double factor = column[i] / pivot;
      double* __restrict row = a + i * size;
      for (size_t k = j + 1; k <= i; k++) row[k] -= factor * column[k];
      row[j] = factor;
      x[i] -= factor * x[j];
    }
  }
  for (size_t i = 0; i < size; i++) x[i] /= a[i * size + i];
  for (size_t i = size; i-- > 0;) {
    for (size_t k = 0; k < i; k++) x[k] -= a[i * size + k] * x[i];
  }
  return true;
}

// Groups of neighbours that are out of order in s.solution become one; false if there are none.
static bool merge_descents(LeastSquaresScratch& s) {
  const size_t size = s.solution.size();
  s.merged_into.resize(size);
  uint32_t last = 0;
  for (size_t i = 0; i < size; i++) {
    if (i > 0 && !(s.solution[i] < s.solution[i - 1])) last++;
    s.merged_into[i] = last;
  }
  if (last + 1 == size) return false;
  merge_classes(s.matrix.data(), s.right_side.data(), size, s.merged_into.data(), last + 1, s.merged_matrix,
                s.merged_right_side);
  std::swap(s.matrix, s.merged_matrix);
  std::swap(s.right_side, s.merged_right_side);
  for (uint32_t& group : s.group_of) group = s.merged_into[group];
  return true;
}

// The normal equations of the classes that have elements, with the ridge towards the old table.
static void set_up(const TableMoments& moments, const std::vector<uint32_t>& counts, const std::vector<double>& old,
                   LeastSquaresScratch& s) {
  const size_t classes = old.size();
  double trace = 0;
  s.used.clear();
  for (uint32_t c = 0; c < classes; c++) {
    trace += moments.gram[c * classes + c];
    if (counts[c] > 0) s.used.push_back(c);
  }
  const double ridge = RIDGE * (trace / static_cast<double>(classes));
  const size_t size = s.used.size();
  s.matrix.resize(size * size);
  s.right_side.resize(size);
  s.group_of.resize(size);
  std::iota(s.group_of.begin(), s.group_of.end(), 0u);
  for (size_t i = 0; i < size; i++) {
    const size_t c = s.used[i];
    for (size_t j = 0; j < size; j++) s.matrix[i * size + j] = moments.gram[c * classes + s.used[j]];
    s.matrix[i * size + i] += ridge;
    s.right_side[i] = moments.products[c] + ridge * old[c];
  }
}

// The table of the solution; classes without elements keep their old entries as far as the order lets them.
static void write_table(const std::vector<uint32_t>& counts, const std::vector<double>& old, const LeastSquaresScratch& s,
                        std::vector<double>& table) {
  const size_t classes = old.size();
  table.resize(classes);
  for (size_t i = 0; i < s.used.size(); i++) table[s.used[i]] = s.solution[s.group_of[i]];
  double above = std::numeric_limits<double>::infinity();
  for (size_t c = classes; c-- > 0;) {
    if (counts[c] == 0) table[c] = std::min(old[c], above);
    above = table[c];
  }
  for (size_t c = 1; c < classes; c++) {
    if (counts[c] == 0) table[c] = std::max(table[c], table[c - 1]);
  }
}

// How much the squared error changes from `old` to `table`.
static double error_change(const TableMoments& moments, const std::vector<double>& old, const std::vector<double>& table) {
  const size_t classes = old.size();
  double change = 0;
  for (size_t i = 0; i < classes; i++) {
    double sum = 0;
    for (size_t j = 0; j < classes; j++) sum += moments.gram[i * classes + j] * (table[j] + old[j]);
    change += (table[i] - old[i]) * (sum - 2 * moments.products[i]);
  }
  return change;
}

void fit_table(const TableMoments& moments, const std::vector<uint32_t>& counts, const std::vector<double>& old,
               LeastSquaresScratch& s, std::vector<double>& table) {
  set_up(moments, counts, old, s);
  bool solved = solve(s);
  while (solved && merge_descents(s)) solved = solve(s);
  if (solved) {
    write_table(counts, old, s, table);
    const auto in_range = [](double entry) { return std::abs(entry) <= MAX_F16; };
    if (std::all_of(table.begin(), table.end(), in_range) && error_change(moments, old, table) < 0) return;
  }
  table = old;
}

}  // namespace dpllm
