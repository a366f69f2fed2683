#pragma once
#include <napi.h>

namespace dpllm {

void InitRefit(Napi::Env env, Napi::Object exports);

}  // namespace dpllm
