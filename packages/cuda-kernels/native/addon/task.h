#pragma once
// Work off the event loop, on Node's thread pool, that settles a promise.
#include <napi.h>

#include <exception>
#include <functional>
#include <utility>

namespace dpllm {

class Task : public Napi::AsyncWorker {
 public:
  // Starts `work`; the promise is of what `result` then makes on the JavaScript thread. `arrays` keeps what the work points
  // into. The task deletes itself.
  static Napi::Promise start(const Napi::Object& arrays, std::function<void()> work,
                             std::function<Napi::Value(Napi::Env)> result = [](Napi::Env env) { return env.Undefined(); }) {
    auto* task = new Task(arrays, std::move(work), std::move(result));
    const Napi::Promise promise = task->deferred_.Promise();
    task->Queue();
    return promise;
  }

 protected:
  void Execute() override {
    try {
      work_();
    } catch (const std::exception& error) {
      SetError(error.what());
    }
  }
  void OnOK() override { deferred_.Resolve(result_(Env())); }
  void OnError(const Napi::Error& error) override { deferred_.Reject(error.Value()); }

 private:
  Task(const Napi::Object& arrays, std::function<void()> work, std::function<Napi::Value(Napi::Env)> result)
      : Napi::AsyncWorker(arrays.Env(), "dpllm.cuda"),
        deferred_(Napi::Promise::Deferred::New(arrays.Env())),
        arrays_(Napi::Persistent(arrays)),
        work_(std::move(work)),
        result_(std::move(result)) {}

  Napi::Promise::Deferred deferred_;
  Napi::ObjectReference arrays_;
  std::function<void()> work_;
  std::function<Napi::Value(Napi::Env)> result_;
};

}  // namespace dpllm
