#pragma once
#include <vector>

#include "device/memory.h"
#include "program/identity.h"

namespace dpllm {

// How one select operator estimates (core's backend/policy.ts), with what it needs in device memory.
struct Estimator {
  enum class Kind : int32_t { none = 0, exact = 1, projection = 2, linear = 3, probe = 4 } kind;
  int low = 0, high = 0;         // exact
  size_t rows = 0;               // projection: f32 [rows, D] where x is [T, D]
  DeviceBuffer data;             // projection, and probe: f32 [D]
  float slope = 0, intercept = 0;  // linear; of a probe, the intercept is its bias
};

struct Estimators {
  std::vector<Estimator> of_select;  // by index of the select operator
  uint64_t id = new_identity();
};

}  // namespace dpllm
