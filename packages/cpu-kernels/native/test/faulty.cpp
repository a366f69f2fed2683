// Does what its argument names: scripts/test-sanitized.mjs sees that the sanitizers report the faults and nothing else.
#include <climits>
#include <cstdio>
#include <cstring>
#include <vector>

#include "kernels/select.h"

using namespace dpllm;

int main(int argc, char** argv) {
  const char* fault = argc > 1 ? argv[1] : "none";
  std::vector<float> a(100, 1.0f), b(100, 2.0f), out(100);
  // Every instruction set's code is instrumented by flags of its own; their names are said.
  for (const Kernels* kernels : available_kernels()) {
    kernels->add(a.data(), b.data(), out.data(), std::strcmp(fault, kernels->name) == 0 ? 101 : 100);
    std::printf("%s%s", kernels == available_kernels().front() ? "" : " ", kernels->name);
  }
  volatile int largest = INT_MAX;
  if (std::strcmp(fault, "overflow") == 0) largest = largest + 1;
  std::printf("\n");
  return 0;
}
