#pragma once
// What benchmark.cpp measures. Each measurement is one line of JSON on the standard output.
#include <chrono>
#include <cstdio>
#include <string>

#include "json.h"

namespace dpllm {

struct Options {
  size_t megabytes = 1024;  // copied to measure the bandwidth
  size_t context = 512;     // positions that decoding looks back at
  size_t prefill = 2048;    // tokens
  size_t tokens = 60;       // decoded for one figure
  size_t repeats = 12;      // of a product
  double seconds = 300;     // nothing is begun after that
  std::chrono::steady_clock::time_point start = std::chrono::steady_clock::now();

  // Says so on the standard error, and in the results, when the time is over.
  bool time_is_over(const std::string& what) const {
    const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - start;
    if (passed.count() < seconds) {
      std::fprintf(stderr, "%6.1f s  %s\n", passed.count(), what.c_str());
      return false;
    }
    std::printf("{\"kind\":\"skipped\",\"what\":\"%s\"}\n", what.c_str());
    return true;
  }
};

// GB/s of a copy on the device, bytes read and bytes written.
double measure_copy(const Options& options);

// Products of bit-planes, by shape, bits and rows, with weights that pass through more memory than the L2 cache holds.
void measure_products(const json::Value& shapes, double copy_gbps, const Options& options);

// Whole steps of a program: decoding at every bit count, and at targets with decisions that change; prefill.
void measure_model(const std::string& name, const json::Value& program, const Options& options);

}  // namespace dpllm
