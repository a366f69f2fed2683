#include "addon/refit_binding.h"

#include "addon/fields.h"
#include "addon/task_worker.h"
#include "quantizer/refit_rows.h"

namespace dpllm {

// (task) -> promise of undefined; fills the tables of the task (NativeRefitRows of src/native-types.ts)
static Napi::Value start(const Napi::CallbackInfo& info) {
  const Napi::Object o = info[0].As<Napi::Object>();
  RefitRows task{};
  task.covariance = array_field<float>(o, "covariance");
  task.weights = array_field<float>(o, "weights");
  task.planes = array_field<uint32_t>(o, "planes");
  task.rows = size_field(o, "rows");
  task.cols = size_field(o, "cols");
  task.first = size_field(o, "first");
  task.count = size_field(o, "count");
  for_each_field(o, "tables", [&](const Napi::Object& tables, uint32_t) {
    task.tables.push_back({static_cast<uint32_t>(int_field(tables, "bits")), array_field<uint16_t>(tables, "old"),
                           array_field<uint16_t>(tables, "fitted")});
  });

  return TaskWorker<RefitRows>::start(o, "dpllm.refitRows", refit_rows, std::move(task), static_cast<unsigned>(int_field(o, "threads")));
}

void InitRefit(Napi::Env env, Napi::Object exports) {
  exports.Set("refitRows", Napi::Function::New(env, start, "refitRows"));
}

}  // namespace dpllm
