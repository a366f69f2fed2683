#include "addon/memory_binding.h"

#include "addon/fields.h"
#include "addon/task_worker.h"
#include "memory/read_memory.h"

namespace dpllm {

// (task) -> promise of undefined; fills the milliseconds of the task (NativeReadMemory of src/native-types.ts)
static Napi::Value start(const Napi::CallbackInfo& info) {
  const Napi::Object o = info[0].As<Napi::Object>();
  ReadMemory task{};
  const Napi::Array spans = o.Get("spans").As<Napi::Array>();
  for (uint32_t i = 0; i < spans.Length(); i++) {
    const Napi::Value span = spans.Get(i);
    task.spans.push_back({array_data<uint8_t>(span), span.As<Napi::TypedArray>().ByteLength()});
  }
  task.milliseconds = array_field<double>(o, "milliseconds");
  return TaskWorker<ReadMemory>::start(o, "dpllm.readMemory", read_memory, std::move(task), static_cast<unsigned>(int_field(o, "threads")));
}

void InitMemory(Napi::Env env, Napi::Object exports) {
  exports.Set("readMemory", Napi::Function::New(env, start, "readMemory"));
}

}  // namespace dpllm
