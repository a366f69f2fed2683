#include "refit_rows.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <exception>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>

#include "centroids.h"
#include "least_squares.h"
#include "table_moments.h"

namespace dpllm {

// Rows that go over a block of H together, and the memory of their moments.
static constexpr size_t TILE_ROWS = 64;
static constexpr size_t TILE_BYTES = size_t{16} << 20;

struct TileScratch {
  std::vector<uint8_t> codes;  // [rows of the tile, cols]
  std::vector<CodedRow> rows;
  std::vector<TableMoments> moments;
  MomentScratch sums;
  LeastSquaresScratch solver;
  std::vector<uint32_t> counts, halves;
  std::vector<double> old, fitted, merged_gram, merged_products;
};

// The finite half's value.
static double half_value(uint16_t bits) {
  const int exponent = (bits >> 10) & 31;
  const int mantissa = bits & 1023;
  const double magnitude = exponent == 0 ? std::ldexp(mantissa, -24) : std::ldexp(1024 + mantissa, exponent - 25);
  return (bits >> 15) != 0 ? -magnitude : magnitude;
}

// Codes of `bits` bits of one row.
static void unpack_row(const RefitRows& task, size_t row, uint32_t bits, uint8_t* codes) {
  const size_t words = (task.cols + 31) / 32;
  std::fill_n(codes, task.cols, uint8_t{0});
  for (uint32_t plane = 0; plane < bits; plane++) {
    const uint32_t* word = task.planes + (plane * task.rows + row) * words;
    for (size_t k = 0; k < task.cols; k++) {
      codes[k] = static_cast<uint8_t>((codes[k] << 1) | ((word[k / 32] >> (k % 32)) & 1));
    }
  }
}

// Two neighbouring classes become one: the codes without their last bit.
static void halve_classes(TileScratch& s, TableMoments& moments) {
  const size_t classes = s.counts.size();
  s.halves.resize(classes);
  for (uint32_t c = 0; c < classes; c++) s.halves[c] = c / 2;
  merge_classes(moments.gram.data(), moments.products.data(), classes, s.halves.data(), classes / 2, s.merged_gram,
                s.merged_products);
  std::swap(moments.gram, s.merged_gram);
  std::swap(moments.products, s.merged_products);
  for (size_t c = 0; c < classes / 2; c++) s.counts[c] = s.counts[2 * c] + s.counts[2 * c + 1];
  s.counts.resize(classes / 2);
}

// All tables of row `index` of the task, from the most bits down.
static void refit_row(const RefitRows& task, size_t index, const uint8_t* codes, TableMoments& moments, TileScratch& s) {
  uint32_t bits = task.tables.back().bits;
  s.counts.assign(size_t{1} << bits, 0);
  for (size_t k = 0; k < task.cols; k++) s.counts[codes[k]]++;
  for (size_t level = task.tables.size(); level-- > 0;) {
    const RefitTables& tables = task.tables[level];
    for (; bits > tables.bits; bits--) halve_classes(s, moments);
    const size_t classes = size_t{1} << bits;
    s.old.resize(classes);
    for (size_t c = 0; c < classes; c++) s.old[c] = half_value(tables.old[(task.first + index) * classes + c]);
    fit_table(moments, s.counts, s.old, s.solver, s.fitted);
    for (size_t c = 0; c < classes; c++) tables.fitted[index * classes + c] = half_bits(s.fitted[c]);
  }
}

static void refit_tile(const RefitRows& task, size_t begin, size_t end, TileScratch& s) {
  const uint32_t bits = task.tables.back().bits;
  s.codes.resize((end - begin) * task.cols);
  s.rows.clear();
  for (size_t index = begin; index < end; index++) {
    uint8_t* codes = s.codes.data() + (index - begin) * task.cols;
    unpack_row(task, task.first + index, bits, codes);
    s.rows.push_back({task.weights + index * task.cols, codes});
  }
  compute_table_moments(task.covariance, task.cols, size_t{1} << bits, s.rows, s.sums, s.moments);
  for (size_t index = begin; index < end; index++) {
    refit_row(task, index, s.rows[index - begin].codes, s.moments[index - begin], s);
  }
}

void refit_rows(const RefitRows& task, unsigned threads) {
  const size_t moment_bytes = sizeof(double) << (2 * task.tables.back().bits);
  const size_t share = (task.count + threads - 1) / threads;
  const size_t tile = std::max<size_t>(1, std::min({TILE_ROWS, TILE_BYTES / moment_bytes, share}));
  std::atomic<size_t> next{0};
  std::exception_ptr failure;
  std::mutex failure_mutex;
  auto work = [&] {
    try {
      TileScratch scratch;
      for (size_t begin = next.fetch_add(tile); begin < task.count; begin = next.fetch_add(tile)) {
        refit_tile(task, begin, std::min(begin + tile, task.count), scratch);
      }
    } catch (...) {
      const std::lock_guard<std::mutex> lock(failure_mutex);
      failure = std::current_exception();
      next = task.count;
    }
  };
  std::vector<std::thread> pool;
  try {
    for (size_t i = 1; i < threads && i * tile < task.count; i++) pool.emplace_back(work);
  } catch (const std::system_error&) {
    // The system grants no more threads: those that there are do the work.
  }
  work();
  for (std::thread& thread : pool) thread.join();
  if (failure) std::rethrow_exception(failure);
}

}  // namespace dpllm
