#pragma once
#include <algorithm>
#include <chrono>
#include <cmath>
#include <memory>
#include <vector>

#include "program/step.h"

namespace dpllm {

// What decides a step's bits.
struct Policy {
  Estimators estimators;          // none of its own: no policy
  std::vector<float> thresholds;  // [selects, THRESHOLDS]

  void set(size_t select, int low, int high, float threshold) {
    for (int j = 0; j < THRESHOLDS; j++) {
      const int bits = MIN_BITS + j;
      thresholds[select * THRESHOLDS + j] = bits < low ? -INFINITY : bits < high ? threshold : INFINITY;
    }
  }
};

// The same bits, those of `of_select`, for every token.
template <class BitsOf>
Policy fixed_policy(size_t selects, BitsOf&& bits_of) {
  Policy policy;
  policy.estimators.of_select.resize(selects);
  policy.thresholds.resize(selects * THRESHOLDS);
  for (size_t i = 0; i < selects; i++) {
    policy.estimators.of_select[i].kind = Estimator::Kind::none;
    policy.set(i, bits_of(i), bits_of(i), 0.0f);
  }
  return policy;
}

struct Timing {
  double device_us;  // of the kernels
  double wall_us;    // from the call to the results on the host
};

inline double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values.empty() ? 0 : values[values.size() / 2];
}

// A program on the device, and its steps' results.
class StepRunner {
 public:
  // Uploads the weights. Caches begin with zeros.
  StepRunner(Program program, Plan plan, size_t capacity);
  ~StepRunner();

  // Consecutive tokens; the last one's output, or all rows' of what is in `inputs`.
  Timing run(const std::vector<uint32_t>& tokens, size_t position, const Policy& policy, const std::vector<float>& input = {});

  const Program& program() const { return program_; }
  // Of the last step: [selects, T].
  const std::vector<uint8_t>& bits() const { return bits_; }
  const std::vector<float>& estimates() const { return estimates_; }
  const std::vector<float>& output() const { return output_; }
  // Kernels of the last step.
  size_t kernels() const;

 private:
  Program program_;
  Plan plan_;
  Stream stream_{0};
  std::unique_ptr<KeyValueCache> cache_;
  Workspace workspace_;
  cudaEvent_t begin_ = nullptr, end_ = nullptr;
  std::vector<uint8_t> bits_;
  std::vector<float> estimates_, output_;
};

}  // namespace dpllm
