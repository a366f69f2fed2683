// What the addon exports.
#include <napi.h>

#include "addon/backend_binding.h"
#include "addon/buffer_binding.h"
#include "addon/memory_binding.h"
#include "addon/quantizer_binding.h"
#include "addon/refit_binding.h"

static Napi::Object Init(Napi::Env env, Napi::Object exports) {
  dpllm::InitBackend(env, exports);
  dpllm::InitBuffer(env, exports);
  dpllm::InitMemory(env, exports);
  dpllm::InitQuantizer(env, exports);
  dpllm::InitRefit(env, exports);
  return exports;
}

NODE_API_MODULE(dpllm_cpu, Init)
