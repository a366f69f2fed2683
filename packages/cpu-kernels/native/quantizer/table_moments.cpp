#include "table_moments.h"

#include <algorithm>

namespace dpllm {

// A block of H, [cols, width] floats, should stay in the second-level cache while all rows go over it.
static constexpr size_t BLOCK_BYTES = size_t{768} << 10;

// Columns first .. first + WIDTH - 1 of H, zero beyond the last.
template <size_t WIDTH>
static void pack_block(const float* covariance, size_t cols, size_t first, float* block) {
  const size_t width = std::min(WIDTH, cols - first);
  for (size_t k = 0; k < cols; k++) {
    const float* row = covariance + k * cols + first;
    for (size_t j = 0; j < WIDTH; j++) block[k * WIDTH + j] = j < width ? row[j] : 0.0f;
  }
}

// sums[c] = the sum of the block's rows that are in class c. The hot loop: one addition for each element of H and row.
template <size_t WIDTH>
static void sum_classes(const float* __restrict block, const uint8_t* codes, size_t cols, size_t classes,
                        float* __restrict sums) {
  std::fill_n(sums, classes * WIDTH, 0.0f);
  for (size_t k = 0; k < cols; k++) {
    float* sum = sums + codes[k] * WIDTH;
    for (size_t j = 0; j < WIDTH; j++) sum[j] += block[k * WIDTH + j];
  }
}

// What the columns of the block add to the moments. H is symmetric: the classes of its columns are those of its rows.
template <size_t WIDTH>
static void add_columns(const float* sums, const CodedRow& row, size_t first, size_t width, size_t classes,
                        TableMoments& moments) {
  double* __restrict products = moments.products.data();
  for (size_t j = 0; j < width; j++) {
    double* __restrict gram = moments.gram.data() + row.codes[first + j] * classes;
    const double weight = row.weights[first + j];
    for (size_t c = 0; c < classes; c++) {
      const double sum = sums[c * WIDTH + j];
      gram[c] += sum;
      products[c] += sum * weight;
    }
  }
}

template <size_t WIDTH>
static void add_blocks(const float* covariance, size_t cols, size_t classes, const std::vector<CodedRow>& rows,
                       MomentScratch& scratch, std::vector<TableMoments>& moments) {
  scratch.block.resize(cols * WIDTH);
  scratch.sums.resize(classes * WIDTH);
  for (size_t first = 0; first < cols; first += WIDTH) {
    pack_block<WIDTH>(covariance, cols, first, scratch.block.data());
    for (size_t r = 0; r < rows.size(); r++) {
      sum_classes<WIDTH>(scratch.block.data(), rows[r].codes, cols, classes, scratch.sums.data());
      add_columns<WIDTH>(scratch.sums.data(), rows[r], first, std::min(WIDTH, cols - first), classes, moments[r]);
    }
  }
}

void compute_table_moments(const float* covariance, size_t cols, size_t classes, const std::vector<CodedRow>& rows,
                           MomentScratch& scratch, std::vector<TableMoments>& moments) {
  moments.resize(rows.size());
  for (TableMoments& m : moments) {
    m.gram.assign(classes * classes, 0.0);
    m.products.assign(classes, 0.0);
  }
  const size_t column_bytes = cols * sizeof(float);
  if (64 * column_bytes <= BLOCK_BYTES) {
    add_blocks<64>(covariance, cols, classes, rows, scratch, moments);
  } else if (32 * column_bytes <= BLOCK_BYTES) {
    add_blocks<32>(covariance, cols, classes, rows, scratch, moments);
  } else {
    add_blocks<16>(covariance, cols, classes, rows, scratch, moments);
  }
}

}  // namespace dpllm
