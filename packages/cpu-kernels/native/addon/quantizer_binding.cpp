#include <napi.h>

#include <exception>
#include <utility>

#include "../quantizer/quantize_rows.h"

namespace {

// quantizeRows(task: NativeQuantizeRows): Promise<void>; fills the arrays of the task (see src/native-types.ts).
class QuantizeRowsWorker : public Napi::AsyncWorker {
 public:
  QuantizeRowsWorker(Napi::Env env, Napi::Object arrays, dpllm::QuantizeRows task, unsigned threads)
      : Napi::AsyncWorker(env, "dpllm.quantizeRows"),
        deferred_(Napi::Promise::Deferred::New(env)),
        arrays_(Napi::Persistent(arrays)),
        task_(std::move(task)),
        threads_(threads) {}

  Napi::Promise Promise() const { return deferred_.Promise(); }

 protected:
  void Execute() override {
    try {
      dpllm::quantize_rows(task_, threads_);
    } catch (const std::exception& error) {
      SetError(error.what());
    }
  }
  void OnOK() override { deferred_.Resolve(Env().Undefined()); }
  void OnError(const Napi::Error& error) override { deferred_.Reject(error.Value()); }

 private:
  Napi::Promise::Deferred deferred_;
  Napi::ObjectReference arrays_;  // keeps the typed arrays alive while threads read and fill them
  dpllm::QuantizeRows task_;
  unsigned threads_;
};

Napi::Value QuantizeRows(const Napi::CallbackInfo& info) {
  const auto arguments = info[0].As<Napi::Object>();
  const auto number = [&](const char* name) { return arguments.Get(name).As<Napi::Number>().Uint32Value(); };
  dpllm::QuantizeRows task{};
  task.weights = arguments.Get("weights").As<Napi::Float32Array>().Data();
  const Napi::Value sensitivities = arguments.Get("sensitivities");
  if (sensitivities.IsTypedArray()) task.sensitivities = sensitivities.As<Napi::Float32Array>().Data();
  task.rows = number("rows");
  task.cols = number("cols");
  task.seed_bits = number("seedBits");
  task.max_bits = number("maxBits");
  task.planes = arguments.Get("planes").As<Napi::Uint32Array>().Data();
  const auto luts = arguments.Get("luts").As<Napi::Array>();
  for (uint32_t i = 0; i < luts.Length(); i++) task.luts.push_back(luts.Get(i).As<Napi::Uint16Array>().Data());

  auto* worker = new QuantizeRowsWorker(info.Env(), arguments, std::move(task), number("threads"));
  worker->Queue();
  return worker->Promise();
}

}  // namespace

void InitQuantizer(Napi::Env env, Napi::Object exports) {
  exports.Set("quantizeRows", Napi::Function::New(env, QuantizeRows, "quantizeRows"));
}
