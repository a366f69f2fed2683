// Memory for weights: on boundaries of large pages, and in large pages where the system has them.
#include "addon/buffer_binding.h"

#include <cstdlib>
#include <string>

#include "threads/huge_pages.h"

namespace dpllm {

// (bytes) -> ArrayBuffer of undefined content
static Napi::Value allocate(const Napi::CallbackInfo& info) {
  const size_t bytes = static_cast<size_t>(info[0].As<Napi::Number>().Int64Value());
  const size_t rounded = (bytes + HUGE_PAGE - 1) / HUGE_PAGE * HUGE_PAGE;
  void* data = std::aligned_alloc(HUGE_PAGE, rounded);
  if (data == nullptr) throw Napi::Error::New(info.Env(), "no memory for " + std::to_string(bytes) + " bytes");
  prefer_huge_pages(data, bytes);
  return Napi::ArrayBuffer::New(info.Env(), data, bytes, [](Napi::Env, void* data) { std::free(data); });
}

void InitBuffer(Napi::Env env, Napi::Object exports) {
  exports.Set("allocate", Napi::Function::New(env, allocate, "allocate"));
}

}  // namespace dpllm
