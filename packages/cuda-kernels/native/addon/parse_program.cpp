#include "addon/parse_program.h"

#include "addon/fields.h"
#include "addon/parse_operator.h"

namespace dpllm {

static HostWeight parse_weight(const Napi::Object& o) {
  HostWeight w;
  w.rows = size_field(o, "rows");
  w.cols = size_field(o, "cols");
  w.bit_planes = o.Has("planes");
  if (!w.bit_planes) {
    w.type = static_cast<FloatType>(int_field(o, "type"));
    w.data = array_field<void>(o, "data");
    return w;
  }
  w.seed_bits = int_field(o, "seedBits");
  w.max_bits = int_field(o, "maxBits");
  w.planes = array_field<uint32_t>(o, "planes");
  const Napi::Array luts = o.Get("luts").As<Napi::Array>();
  for (uint32_t i = 0; i < luts.Length(); i++) w.luts[w.seed_bits + i] = array_data<uint16_t>(luts.Get(i));
  return w;
}

Program parse_program(const Napi::Object& description) {
  Program program;
  for_each_field(description, "values", [&](const Napi::Object& o) {
    program.values.push_back({size_field(o, "elementBytes"), static_cast<Axis>(int_field(o, "axis")), size_field(o,
        "constant"), size_field(o, "width")});
  });
  for_each_field(description, "weights", [&](const Napi::Object& o) { program.weights.emplace_back(parse_weight(o)); });
  for_each_field(description, "operators", [&](const Napi::Object& o) { program.operators.push_back(parse_operator(o)); });
  for (const int width : ints_field(description, "cacheWidths")) program.cache_widths.push_back(static_cast<size_t>(width));
  for_each_field(description, "accumulators", [&](const Napi::Object& o) {
    program.accumulators.push_back({size_field(o, "rows"), size_field(o, "cols"), {}});
  });
  program.inputs = ints_field(description, "inputs");
  for (const Operator& op : program.operators) program.selects += std::holds_alternative<Select>(op);
  return program;
}

Plan parse_plan(const Napi::Object& o) {
  Plan plan;
  plan.operators = ints_field(o, "operators");
  plan.slot_of = ints_field(o, "slotOf");
  for_each_field(o, "slots", [&](const Napi::Object& slot) {
    plan.slots.push_back({static_cast<Axis>(int_field(slot, "axis")), size_field(slot, "rowBytes")});
  });
  plan.outputs = ints_field(o, "outputs");
  return plan;
}

Estimators parse_estimators(const Napi::Array& array, int device) {
  using Kind = Estimator::Kind;
  Estimators estimators;
  for (uint32_t i = 0; i < array.Length(); i++) {
    const Napi::Object o = array.Get(i).As<Napi::Object>();
    Estimator estimator;
    estimator.kind = static_cast<Kind>(int_field(o, "kind"));
    if (estimator.kind == Kind::exact) {
      estimator.low = int_field(o, "low");
      estimator.high = int_field(o, "high");
    } else if (estimator.kind == Kind::linear) {
      estimator.slope = float_field(o, "slope");
      estimator.intercept = float_field(o, "intercept");
    } else if (estimator.kind != Kind::none) {
      const bool probe = estimator.kind == Kind::probe;
      size_t length = 0;
      const float* data = array_field<float>(o, probe ? "weights" : "matrix", &length);
      estimator.data = DeviceBuffer(device, data, length * sizeof(float));
      if (probe) estimator.intercept = float_field(o, "bias");
      else estimator.rows = size_field(o, "rows");
    }
    estimators.of_select.push_back(std::move(estimator));
  }
  return estimators;
}

}  // namespace dpllm
