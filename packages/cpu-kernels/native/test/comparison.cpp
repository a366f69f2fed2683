#include "test/comparison.h"

#include <cmath>
#include <cstdio>
#include <cstring>

namespace dpllm {

std::mt19937 generator(1);
int failures = 0;

std::vector<float> normal(size_t n, float scale) {
  std::normal_distribution<float> distribution(0.0f, scale);
  std::vector<float> x(n);
  for (float& v : x) v = distribution(generator);
  return x;
}

void check(const char* isa, const std::string& what, const std::vector<float>& found, const std::vector<float>& wanted, double roundings) {
  double error = 0, norm = 0;
  for (size_t i = 0; i < wanted.size(); i++) {
    error += std::pow(double(found[i]) - wanted[i], 2);
    norm += std::pow(double(wanted[i]), 2);
  }
  const double relative = error == 0 ? 0 : std::sqrt(error / norm);
  if (!(relative <= roundings * 0x1p-24)) {
    failures++;
    std::printf("%s %s: relative error %.3g, allowed %.3g\n", isa, what.c_str(), relative, roundings * 0x1p-24);
  }
}

void check_same(const char* isa, const std::string& what, const std::vector<float>& found, const std::vector<float>& wanted) {
  if (found.size() == wanted.size() && std::memcmp(found.data(), wanted.data(), wanted.size() * sizeof(float)) == 0) return;
  failures++;
  std::printf("%s %s differs\n", isa, what.c_str());
}

}  // namespace dpllm
