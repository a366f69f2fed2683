#pragma once
// A task that runs off the event loop, on threads of its own, and settles a promise.
#include <napi.h>

#include <exception>
#include <utility>

namespace dpllm {

template <class Task>
class TaskWorker : public Napi::AsyncWorker {
 public:
  using Function = void (*)(const Task& task, unsigned threads);

  // Starts function(task, threads); `arrays` holds the typed arrays that the task points into. The worker deletes itself.
  static Napi::Promise start(const Napi::Object& arrays, const char* name, Function function, Task task, unsigned threads) {
    auto* worker = new TaskWorker(arrays, name, function, std::move(task), threads);
    const Napi::Promise promise = worker->deferred_.Promise();
    worker->Queue();
    return promise;
  }

 protected:
  void Execute() override {
    try {
      function_(task_, threads_);
    } catch (const std::exception& error) {
      SetError(error.what());
    }
  }
  void OnOK() override { deferred_.Resolve(Env().Undefined()); }
  void OnError(const Napi::Error& error) override { deferred_.Reject(error.Value()); }

 private:
  TaskWorker(const Napi::Object& arrays, const char* name, Function function, Task task, unsigned threads)
      : Napi::AsyncWorker(arrays.Env(), name),
        deferred_(Napi::Promise::Deferred::New(arrays.Env())),
        arrays_(Napi::Persistent(arrays)),
        function_(function),
        task_(std::move(task)),
        threads_(threads) {}

  Napi::Promise::Deferred deferred_;
  Napi::ObjectReference arrays_;
  Function function_;
  Task task_;
  unsigned threads_;
};

}  // namespace dpllm
