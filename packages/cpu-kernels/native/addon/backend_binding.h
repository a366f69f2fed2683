#pragma once
#include <napi.h>

namespace dpllm {

void InitBackend(Napi::Env env, Napi::Object exports);

}  // namespace dpllm
