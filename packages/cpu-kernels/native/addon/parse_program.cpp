#include "addon/parse_program.h"

#include "addon/fields.h"
#include "addon/parse_operator.h"

namespace dpllm {

static Weight parse_weight(const Napi::Object& o, const Kernels& kernels) {
  Weight w;
  w.rows = size_field(o, "rows");
  w.cols = size_field(o, "cols");
  w.bit_planes = o.Has("planes");
  if (w.bit_planes) {
    w.seed_bits = int_field(o, "seedBits");
    w.max_bits = int_field(o, "maxBits");
    w.planes = array_field<uint32_t>(o, "planes");
    const Napi::Array luts = o.Get("luts").As<Napi::Array>();
    for (uint32_t i = 0; i < luts.Length(); i++) w.luts[w.seed_bits + i] = array_data<uint16_t>(luts.Get(i));
  } else {
    w.type = static_cast<FloatType>(int_field(o, "type"));
    w.data = array_field<void>(o, "data");
    if (o.Get("vector").ToBoolean()) {
      w.widened.resize(w.rows * w.cols);
      derive(w, kernels);
    }
  }
  return w;
}

Program parse_program(const Napi::Object& description, const Kernels& kernels) {
  Program program;
  for_each_field(description, "values", [&](const Napi::Object& o, uint32_t) {
    program.values.push_back({size_field(o, "elementBytes"), static_cast<Axis>(int_field(o, "axis")), size_field(o, "constant"), size_field(o, "width")});
  });
  for_each_field(description, "weights", [&](const Napi::Object& o, uint32_t) { program.weights.push_back(parse_weight(o, kernels)); });
  for_each_field(description, "operators", [&](const Napi::Object& o, uint32_t) { program.operators.push_back(parse_operator(o)); });
  program.inputs = ints_field(description, "inputs");
  for (const int width : ints_field(description, "cacheWidths")) program.cache_widths.push_back(static_cast<size_t>(width));
  for_each_field(description, "accumulators", [&](const Napi::Object& o, uint32_t) { program.accumulators.emplace_back(size_field(o, "rows"), size_field(o, "cols")); });
  if (!description.Get("times").IsUndefined()) program.times = array_field<double>(description, "times");
  return program;
}

Plan parse_plan(const Napi::Object& o) {
  Plan plan;
  plan.operators = ints_field(o, "operators");
  plan.slot_of = ints_field(o, "slotOf");
  plan.outputs = ints_field(o, "outputs");
  for_each_field(o, "slots", [&](const Napi::Object& slot, uint32_t) {
    plan.slots.push_back({static_cast<Axis>(int_field(slot, "axis")), size_field(slot, "rowBytes")});
  });
  return plan;
}

Estimators parse_estimators(const Napi::Array& array) {
  Estimators estimators;
  for (uint32_t i = 0; i < array.Length(); i++) {
    const Napi::Object o = array.Get(i).As<Napi::Object>();
    Estimator estimator = {static_cast<Estimator::Kind>(int_field(o, "kind")), 0, 0, nullptr, 0, 0, 0, nullptr, 0};
    if (estimator.kind == Estimator::Kind::exact) {
      estimator.low = int_field(o, "low");
      estimator.high = int_field(o, "high");
    } else if (estimator.kind == Estimator::Kind::projection) {
      estimator.matrix = array_field<float>(o, "matrix");
      estimator.rows = size_field(o, "rows");
    } else if (estimator.kind == Estimator::Kind::linear) {
      estimator.slope = static_cast<float>(double_field(o, "slope"));
      estimator.intercept = static_cast<float>(double_field(o, "intercept"));
    } else if (estimator.kind == Estimator::Kind::probe) {
      estimator.weights = array_field<float>(o, "weights");
      estimator.bias = static_cast<float>(double_field(o, "bias"));
    }
    estimators.push_back(estimator);
  }
  return estimators;
}

}  // namespace dpllm
