#pragma once
#include <napi.h>

#include "program/operator.h"

namespace dpllm {

// From NativeOperator of core's native/description.ts.
Operator parse_operator(const Napi::Object& o);

}  // namespace dpllm
