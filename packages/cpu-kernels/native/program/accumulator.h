#pragma once
#include <cstddef>
#include <cstdlib>
#include <memory>
#include <new>

#include "threads/huge_pages.h"

namespace dpllm {

// f32 [rows, cols], zero at first: a sum that outlives steps. The system gives out pages when they are written, so that the
// accumulators of a large model cost nothing until then.
struct Accumulator {
  struct Free {
    void operator()(float* p) const { std::free(p); }
  };
  size_t rows, cols;
  std::unique_ptr<float, Free> data;

  Accumulator(size_t rows, size_t cols) : rows(rows), cols(cols), data(static_cast<float*>(std::calloc(rows * cols, sizeof(float)))) {
    if (data == nullptr) throw std::bad_alloc();
    prefer_huge_pages(data.get(), bytes());
  }
  size_t bytes() const { return rows * cols * sizeof(float); }
};

}  // namespace dpllm
