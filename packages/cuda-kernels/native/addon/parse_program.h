#pragma once
#include <napi.h>

#include "program/estimators.h"
#include "program/program.h"

namespace dpllm {

// From NativeProgramDescription and NativePlanDescription of core's native/description.ts. Weights point into the arrays of the
// description, which has to stay alive; nothing is on a device yet.
Program parse_program(const Napi::Object& description);
Plan parse_plan(const Napi::Object& plan);

// From NativeEstimator: copies what it points into to the device. Throws CudaError.
Estimators parse_estimators(const Napi::Array& estimators, int device);

}  // namespace dpllm
