#include <cmath>

#include "measurements.h"
#include "random_weights.h"
#include "step_runner.h"

namespace dpllm {
namespace {

constexpr int SEED_BITS = 3;

// `copies` linears that read the same x, each with its own weight and select; one output for all, as nobody reads it.
StepRunner many_linears(const HostWeight& weight, size_t copies) {
  Program program;
  Plan plan;
  const int x = 0, out = 1;
  program.values = {{4, Axis::tokens, 0, weight.cols}, {4, Axis::tokens, 0, weight.rows}};
  program.inputs = {x};
  plan.slots = {{Axis::tokens, 4 * weight.rows}};
  plan.slot_of = {NONE, 0};
  for (size_t i = 0; i < copies; i++) {
    const int w = static_cast<int>(i), bits = static_cast<int>(program.values.size()), estimate = bits + 1;
    program.weights.emplace_back(weight);
    program.values.push_back({1, Axis::tokens, 0, 1});
    program.values.push_back({4, Axis::tokens, 0, 1});
    program.operators.push_back(Select{x, w, bits, estimate, w});
    program.operators.push_back(Linear{x, w, NONE, bits, out});
    plan.slot_of.insert(plan.slot_of.end(), 2, NONE);
    plan.operators.insert(plan.operators.end(), {2 * w, 2 * w + 1});
  }
  program.selects = copies;
  return StepRunner(std::move(program), std::move(plan), 32);
}

double microseconds(StepRunner& runner, size_t tokens, int bits, size_t repeats) {
  const size_t width = runner.program().values[0].width;
  Random random(7);
  std::vector<float> x(tokens * width);
  for (float& value : x) value = random.uniform();
  const Policy policy = fixed_policy(runner.program().selects, [&](size_t) { return bits; });
  std::vector<double> times;
  for (size_t i = 0; i < repeats + 3; i++) {  // as it is, recorded, once more
    const Timing timing = runner.run(std::vector<uint32_t>(tokens, 0), 0, policy, x);
    if (i >= 3) times.push_back(timing.device_us / static_cast<double>(runner.program().selects));
  }
  return median(times);
}

void measure_shape(size_t rows, size_t cols, double copy_gbps, const Options& options) {
  cudaDeviceProp properties;
  DPLLM_CUDA(cudaGetDeviceProperties, &properties, 0);
  RandomWeights weights;
  const size_t plane_bytes = rows * ((cols + 31) / 32) * 4;
  const size_t passed = 5 * static_cast<size_t>(properties.l2CacheSize) / (SEED_BITS * plane_bytes) + 2;
  const size_t copies = std::min<size_t>(std::max<size_t>(passed, properties.l2CacheSize == 0 ? 2 : 16), 512);
  StepRunner runner = many_linears(weights.bit_planes(rows, cols, SEED_BITS, MAX_BITS), copies);
  for (int bits = SEED_BITS; bits <= MAX_BITS; bits++) {
    for (const size_t tokens : {1, 2, 4, 8, 16}) {
      const double us = microseconds(runner, tokens, bits, options.repeats), gbps = 1e-3 * bits * plane_bytes / us;
      std::printf("{\"kind\":\"product\",\"rows\":%zu,\"cols\":%zu,\"bits\":%d,\"tokens\":%zu,\"copies\":%zu,\"us\":%.3f,"
                  "\"gbps\":%.1f,\"of_copy\":%.4f}\n", rows, cols, bits, tokens, copies, us, gbps, gbps / copy_gbps);
    }
  }
}

}  // namespace

void measure_products(const json::Value& shapes, double copy_gbps, const Options& options) {
  for (const json::Value& shape : shapes.array) {
    const auto rows = static_cast<size_t>(shape.array[0].number), cols = static_cast<size_t>(shape.array[1].number);
    const std::string what = "products of " + std::to_string(rows) + "x" + std::to_string(cols);
    if (!options.time_is_over(what)) measure_shape(rows, cols, copy_gbps, options);
  }
}

}  // namespace dpllm
