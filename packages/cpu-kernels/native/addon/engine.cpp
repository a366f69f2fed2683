#include "addon/engine.h"

#include "threads/waiting.h"

namespace dpllm {

static void stop_engine(void* engine) { static_cast<Engine*>(engine)->stop(); }

Engine::Engine(Napi::Env env, const Kernels& kernels, int threads, Arithmetic arithmetic, FloatType cache_type)
    : kernels(kernels), arithmetic(arithmetic), cache_type(cache_type), env_(env), pool_(new ThreadPool(threads)) {
  completion_ = Completion::New(env, "dpllm step", 0, 1, this);
  completion_.Unref(env);
  try {
    driver_ = std::thread([this] { drive(); });
  } catch (...) {  // the system grants no more threads
    completion_.Release();
    throw;
  }
  // Hooks run in reverse order: the driver ends before the completion function is closed.
  napi_add_env_cleanup_hook(env, stop_engine, this);
}

Engine::~Engine() { stop(); }

void Engine::stop() {
  if (!driver_.joinable()) return;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    stopped_ = true;
  }
  wake_.notify_all();
  driver_.join();
  pool_.reset();
  completion_.Release();
  napi_remove_env_cleanup_hook(env_, stop_engine, this);
}

void Engine::submit(std::unique_ptr<Job> job) {
  if (stopped_) {
    job->deferred.Reject(Napi::Error::New(job->deferred.Env(), "the backend is disposed").Value());
    return;
  }
  if (pending_++ == 0) completion_.Ref(env_);
  {
    std::lock_guard<std::mutex> lock(mutex_);
    queue_.push_back(std::move(job));
    queued_.store(true, std::memory_order_release);
  }
  wake_.notify_one();
}

void Engine::drive() {
  for (;;) {
    std::unique_ptr<Job> job;
    // The JavaScript thread may want this core, to take the result of the step before.
    wait_awake(0, [this] { return queued_.load(std::memory_order_acquire) || stopped_; });
    {
      std::unique_lock<std::mutex> lock(mutex_);
      wake_.wait(lock, [this] { return stopped_ || !queue_.empty(); });
      if (queue_.empty()) return;
      job = std::move(queue_.front());
      queue_.pop_front();
      queued_.store(!queue_.empty(), std::memory_order_relaxed);
    }
    execute(*job);
    // Fails only when the environment is going down: then nobody waits for the result, and references cannot be deleted
    // any more, so that the job is left alone.
    completion_.NonBlockingCall(job.release());
  }
}

void Engine::execute(Job& job) {
  try {
    if (job.task) return job.task();
    CompiledProgram& compiled = *job.program;
    Execution execution = {compiled.program, kernels, arithmetic, *pool_, compiled.workspace, job.step};
    run_step(execution, *job.plan, stopped_);
    if (stopped_) job.error = "the backend was disposed during the step";
  } catch (const std::bad_alloc&) {
    job.error = "out of memory";
  } catch (const std::exception& error) {
    job.error = error.what();
  }
}

void Engine::settle(Napi::Env env, Napi::Function, Engine* engine, Job* raw) {
  if (env == nullptr) return;  // the environment is gone: see drive()
  std::unique_ptr<Job> job(raw);
  // The job holds the program, which holds the engine: it is there until the end of this function.
  if (--engine->pending_ == 0 && !engine->stopped_) engine->completion_.Unref(env);
  if (job->error.empty()) job->deferred.Resolve(env.Undefined());
  else job->deferred.Reject(Napi::Error::New(env, job->error).Value());
}

}  // namespace dpllm
