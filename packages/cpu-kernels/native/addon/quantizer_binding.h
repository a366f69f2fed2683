#pragma once
#include <napi.h>

namespace dpllm {

void InitQuantizer(Napi::Env env, Napi::Object exports);

}  // namespace dpllm
