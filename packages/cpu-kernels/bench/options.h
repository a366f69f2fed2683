#pragma once
#include <cstddef>
#include <string>
#include <vector>

namespace dpllm {

struct Shape {
  size_t rows, cols;
};

// What bench_gemv measures, and how.
struct Options {
  std::vector<Shape> shapes = {{4096, 4096}, {14336, 4096}, {4096, 14336}};
  std::vector<int> bits = {3, 4, 5, 6, 8};
  std::vector<int> activation_bits = {8, 16};
  std::vector<int> threads = {1, 2};
  int tokens = 1;             // vectors at once
  int planes = 0;             // planes of the stored matrices; 0: as many as are read
  size_t pool_mib = 512;      // memory that the matrices fill: must be more than the last-level cache
  int repetitions = 9;
  bool huge_pages = true;
  bool json = false;
  std::string isa = "auto";
};

// Ends the process with usage or an error where the arguments are not understood.
Options parse_options(int argc, char** argv);

}  // namespace dpllm
