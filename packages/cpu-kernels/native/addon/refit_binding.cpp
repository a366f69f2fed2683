#include "addon/refit_binding.h"

#include <exception>
#include <utility>

#include "addon/fields.h"
#include "quantizer/refit_rows.h"

namespace dpllm {

class RefitRowsWorker : public Napi::AsyncWorker {
 public:
  RefitRowsWorker(Napi::Env env, const Napi::Object& arrays, RefitRows task, unsigned threads)
      : Napi::AsyncWorker(env, "dpllm.refitRows"),
        deferred_(Napi::Promise::Deferred::New(env)),
        arrays_(Napi::Persistent(arrays)),
        task_(std::move(task)),
        threads_(threads) {}

  Napi::Promise promise() const { return deferred_.Promise(); }

 protected:
  void Execute() override {
    try {
      refit_rows(task_, threads_);
    } catch (const std::exception& error) {
      SetError(error.what());
    }
  }
  void OnOK() override { deferred_.Resolve(Env().Undefined()); }
  void OnError(const Napi::Error& error) override { deferred_.Reject(error.Value()); }

 private:
  Napi::Promise::Deferred deferred_;
  Napi::ObjectReference arrays_;  // keeps the typed arrays alive while threads read and fill them
  RefitRows task_;
  unsigned threads_;
};

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

  auto* worker = new RefitRowsWorker(info.Env(), o, std::move(task), static_cast<unsigned>(int_field(o, "threads")));
  const Napi::Promise promise = worker->promise();
  worker->Queue();  // deletes itself when it is done
  return promise;
}

void InitRefit(Napi::Env env, Napi::Object exports) {
  exports.Set("refitRows", Napi::Function::New(env, start, "refitRows"));
}

}  // namespace dpllm
