#pragma once
// What the parts of compare_kernels share.
#include <random>
#include <string>
#include <vector>

#include "kernels/kernels.h"

namespace dpllm {

extern std::mt19937 generator;
extern int failures;

std::vector<float> normal(size_t n, float scale = 1.0f);

// Relative error of vectors, against a tolerance in f32 roundings.
void check(const char* isa, const std::string& what, const std::vector<float>& found, const std::vector<float>& wanted, double roundings);

// The same bits.
void check_same(const char* isa, const std::string& what, const std::vector<float>& found, const std::vector<float>& wanted);

// Parts in files of their own.
void compare_products(const Kernels& k);
void compare_wide_products(const Kernels& k);
void compare_integer_products(const Kernels& k);

}  // namespace dpllm
