#pragma once
#include <napi.h>

namespace dpllm {

void InitBuffer(Napi::Env env, Napi::Object exports);

}  // namespace dpllm
