#include "addon/quantizer_binding.h"

#include <exception>
#include <utility>

#include "addon/fields.h"
#include "quantizer/quantize_rows.h"

namespace dpllm {

class QuantizeRowsWorker : public Napi::AsyncWorker {
 public:
  QuantizeRowsWorker(Napi::Env env, const Napi::Object& arrays, QuantizeRows task, unsigned threads)
      : Napi::AsyncWorker(env, "dpllm.quantizeRows"),
        deferred_(Napi::Promise::Deferred::New(env)),
        arrays_(Napi::Persistent(arrays)),
        task_(std::move(task)),
        threads_(threads) {}

  Napi::Promise promise() const { return deferred_.Promise(); }

 protected:
  void Execute() override {
    try {
      quantize_rows(task_, threads_);
    } catch (const std::exception& error) {
      SetError(error.what());
    }
  }
  void OnOK() override { deferred_.Resolve(Env().Undefined()); }
  void OnError(const Napi::Error& error) override { deferred_.Reject(error.Value()); }

 private:
  Napi::Promise::Deferred deferred_;
  Napi::ObjectReference arrays_;  // keeps the typed arrays alive while threads read and fill them
  QuantizeRows task_;
  unsigned threads_;
};

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

  auto* worker = new QuantizeRowsWorker(info.Env(), o, std::move(task), static_cast<unsigned>(int_field(o, "threads")));
  const Napi::Promise promise = worker->promise();
  worker->Queue();  // deletes itself when it is done
  return promise;
}

void InitQuantizer(Napi::Env env, Napi::Object exports) {
  exports.Set("quantizeRows", Napi::Function::New(env, start, "quantizeRows"));
}

}  // namespace dpllm
