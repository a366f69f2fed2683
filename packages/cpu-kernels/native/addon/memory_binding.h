#pragma once
#include <napi.h>

namespace dpllm {

void InitMemory(Napi::Env env, Napi::Object exports);

}  // namespace dpllm
