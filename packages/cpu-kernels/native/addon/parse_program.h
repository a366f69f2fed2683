#pragma once
#include <napi.h>

#include "program/program.h"

namespace dpllm {

// From NativeProgramDescription, NativePlan and NativeEstimator of core's native/description.ts. Weights point into the arrays of
// the description, which has to stay alive.
Program parse_program(const Napi::Object& description, const Kernels& kernels);
Plan parse_plan(const Napi::Object& plan);
Estimators parse_estimators(const Napi::Array& estimators);

}  // namespace dpllm
