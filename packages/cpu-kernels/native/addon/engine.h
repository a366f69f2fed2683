#pragma once
// A backend instance: its kernels, its threads, and the one thread that runs steps in the order they were asked for.
#include <napi.h>

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "program/step.h"

namespace dpllm {

class Engine;

// What compile() gives.
struct CompiledProgram {
  std::shared_ptr<Engine> engine;
  Program program;
  Workspace workspace;
  Napi::ObjectReference weights;  // keeps the caller's arrays
};

// One step, or a task between steps, on its way: made on the JavaScript thread, run on the engine's, settled and deleted on the JavaScript thread.
struct Job {
  std::shared_ptr<CompiledProgram> program;
  std::shared_ptr<const Plan> plan;
  std::shared_ptr<const Estimators> estimators;
  std::shared_ptr<KeyValueCache> cache;
  StepInputs step;
  std::function<void()> task;    // what to do in place of a step
  Napi::ObjectReference arrays;  // keeps the step's or task's arrays
  Napi::Promise::Deferred deferred;
  std::string error;
};

class Engine {
 public:
  Engine(Napi::Env env, const Kernels& kernels, int threads, Arithmetic arithmetic, FloatType cache_type);
  ~Engine();

  // Takes the job over. JavaScript thread only.
  void submit(std::unique_ptr<Job> job);
  // Ends the threads; the step that runs stops at its next operator and queued ones fail. JavaScript thread only.
  void stop();

  const Kernels& kernels;
  const Arithmetic arithmetic;
  const FloatType cache_type;

 private:
  static void settle(Napi::Env env, Napi::Function, Engine* engine, Job* job);
  using Completion = Napi::TypedThreadSafeFunction<Engine, Job, settle>;

  void drive();
  void execute(Job& job);

  napi_env env_;
  std::unique_ptr<ThreadPool> pool_;
  Completion completion_;
  size_t pending_ = 0;  // jobs not settled; the event loop is kept alive while there are any
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::unique_ptr<Job>> queue_;
  std::atomic<bool> queued_{false};  // whether there are any, for a look without the lock
  std::atomic<bool> stopped_{false};
  std::thread driver_;
};

}  // namespace dpllm
