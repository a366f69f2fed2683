#include "addon/quantizer_binding.h"

#include "addon/fields.h"
#include "addon/task_worker.h"
#include "quantizer/quantize_rows.h"

namespace dpllm {

// (task) -> promise of undefined; fills the arrays of the task (NativeQuantizeRows of src/native-types.ts)
static Napi::Value start(const Napi::CallbackInfo& info) {
  const Napi::Object o = info[0].As<Napi::Object>();
  QuantizeRows task{};
  task.weights = array_field<float>(o, "weights");
  task.sensitivities = o.Get("sensitivities").IsUndefined() ? nullptr : array_field<float>(o, "sensitivities");
  task.rows = size_field(o, "rows");
  task.cols = size_field(o, "cols");
  task.seed_bits = static_cast<uint32_t>(int_field(o, "seedBits"));
  task.max_bits = static_cast<uint32_t>(int_field(o, "maxBits"));
  task.planes = array_field<uint32_t>(o, "planes");
  const Napi::Array luts = o.Get("luts").As<Napi::Array>();
  for (uint32_t i = 0; i < luts.Length(); i++) task.luts.push_back(array_data<uint16_t>(luts.Get(i)));

  return TaskWorker<QuantizeRows>::start(o, "dpllm.quantizeRows", quantize_rows, std::move(task), static_cast<unsigned>(int_field(o, "threads")));
}

void InitQuantizer(Napi::Env env, Napi::Object exports) {
  exports.Set("quantizeRows", Napi::Function::New(env, start, "quantizeRows"));
}

}  // namespace dpllm
