// What the addon exports.
#include <napi.h>

#include "addon/backend_binding.h"

#if defined(DPLLM_QUANTIZER)
void InitQuantizer(Napi::Env env, Napi::Object exports);  // quantizer_binding.cpp
#endif

static Napi::Object Init(Napi::Env env, Napi::Object exports) {
  dpllm::InitBackend(env, exports);
#if defined(DPLLM_QUANTIZER)
  InitQuantizer(env, exports);
#endif
  return exports;
}

NODE_API_MODULE(dpllm_cpu, Init)
