// Backends, compiled programs, plans, estimators, caches, steps and accumulators as JavaScript externals; src/native-types.ts
// and core's src/native/binding.ts describe them.
#include "addon/backend_binding.h"

#include <cstring>
#include <string>

#include "addon/engine.h"
#include "addon/fields.h"
#include "addon/parse_program.h"
#include "kernels/select.h"

namespace dpllm {

// A handle holds its object until it is collected or released; what still runs keeps what it needs. The collector is
// told of `bytes` of memory behind it.
template <class T>
static Napi::Value wrap(Napi::Env env, std::shared_ptr<T> object, int64_t bytes = 0) {
  if (bytes != 0) Napi::MemoryManagement::AdjustExternalMemory(env, bytes);
  const auto finalize = [bytes](Napi::Env env, std::shared_ptr<T>* held) {
    delete held;
    if (bytes != 0) Napi::MemoryManagement::AdjustExternalMemory(env, -bytes);
  };
  return Napi::External<std::shared_ptr<T>>::New(env, new std::shared_ptr<T>(std::move(object)), finalize);
}

template <class T>
static std::shared_ptr<T>& unwrap(const Napi::Value& value) {
  std::shared_ptr<T>& object = *value.As<Napi::External<std::shared_ptr<T>>>().Data();
  if (object == nullptr) throw Napi::Error::New(value.Env(), "already disposed");
  return object;
}

// Estimators with the arrays that they point into.
struct HeldEstimators {
  Estimators estimators;
  Napi::ObjectReference arrays;
};

static Napi::Value instructions(const Napi::CallbackInfo& info) {
  Napi::Array names = Napi::Array::New(info.Env());
  for (const Kernels* kernels : available_kernels()) names.Set(names.Length(), kernels->name);
  return names;
}

// (instructions, threads, activationBits, cacheType)
static Napi::Value create_backend(const Napi::CallbackInfo& info) {
  const std::string name = info[0].As<Napi::String>();
  const Kernels* kernels = find_kernels(name);
  if (kernels == nullptr) throw Napi::Error::New(info.Env(), "this machine or build has no " + name);
  return wrap(info.Env(), std::make_shared<Engine>(info.Env(), *kernels, info[1].As<Napi::Number>().Int32Value(),
                                                   static_cast<Arithmetic>(info[2].As<Napi::Number>().Int32Value()),
                                                   static_cast<FloatType>(info[3].As<Napi::Number>().Int32Value())));
}

// (backend): ends its threads now
static void dispose_backend(const Napi::CallbackInfo& info) { unwrap<Engine>(info[0])->stop(); }

// (backend, description)
static Napi::Value compile(const Napi::CallbackInfo& info) {
  auto compiled = std::make_shared<CompiledProgram>();
  compiled->engine = unwrap<Engine>(info[0]);
  const Napi::Object description = info[1].As<Napi::Object>();
  compiled->program = parse_program(description, compiled->engine->kernels);
  compiled->weights = Napi::Persistent(description);
  int64_t bytes = 0;
  for (const Accumulator& accumulator : compiled->program.accumulators) bytes += static_cast<int64_t>(accumulator.bytes());
  return wrap(info.Env(), std::move(compiled), bytes);
}

// (program)
static void dispose_program(const Napi::CallbackInfo& info) { unwrap<CompiledProgram>(info[0]).reset(); }

// (plan)
static Napi::Value create_plan(const Napi::CallbackInfo& info) {
  return wrap(info.Env(), std::make_shared<Plan>(parse_plan(info[0].As<Napi::Object>())));
}

// (program, estimators)
static Napi::Value create_estimators(const Napi::CallbackInfo& info) {
  auto held = std::make_shared<HeldEstimators>();
  held->estimators = parse_estimators(info[1].As<Napi::Array>());
  held->arrays = Napi::Persistent(info[1].As<Napi::Object>());
  return wrap(info.Env(), std::move(held));
}

// (program, capacity)
static Napi::Value create_cache(const Napi::CallbackInfo& info) {
  const auto& compiled = unwrap<CompiledProgram>(info[0]);
  auto cache = std::make_shared<KeyValueCache>(compiled->program, static_cast<size_t>(info[1].As<Napi::Number>().Int64Value()),
                                               compiled->engine->cache_type);
  const int64_t bytes = static_cast<int64_t>(cache->bytes());
  return wrap(info.Env(), std::move(cache), bytes);
}

// (cache)
static void dispose_cache(const Napi::CallbackInfo& info) { unwrap<KeyValueCache>(info[0]).reset(); }

// Runs the job after those that were submitted before; a promise of undefined.
static Napi::Value submit(std::unique_ptr<Job> job) {
  const Napi::Promise promise = job->deferred.Promise();
  const std::shared_ptr<Engine> engine = job->program->engine;
  engine->submit(std::move(job));
  return promise;
}

static std::unique_ptr<Job> make_job(const Napi::Value& program, const Napi::Object& arrays) {
  return std::unique_ptr<Job>(
      new Job{unwrap<CompiledProgram>(program), {}, {}, {}, {}, {}, Napi::Persistent(arrays), Napi::Promise::Deferred::New(program.Env()), {}});
}

// (program, index, array) -> promise of undefined
template <bool READ>
static Napi::Value copy_accumulator(const Napi::CallbackInfo& info) {
  auto job = make_job(info[0], info[2].As<Napi::Object>());
  Accumulator& accumulator = job->program->program.accumulators[info[1].As<Napi::Number>().Uint32Value()];
  float* data = array_data<float>(info[2]);
  job->task = [&accumulator, data] {
    if (READ) std::memcpy(data, accumulator.data.get(), accumulator.bytes());
    else std::memcpy(accumulator.data.get(), data, accumulator.bytes());
  };
  return submit(std::move(job));
}

// (program, indices)
static void update_weights(const Napi::CallbackInfo& info) {
  CompiledProgram& compiled = *unwrap<CompiledProgram>(info[0]);
  const Napi::Int32Array indices = info[1].As<Napi::Int32Array>();
  for (size_t i = 0; i < indices.ElementLength(); i++) derive(compiled.program.weights[indices[i]], compiled.engine->kernels);
}

// (program, step) -> promise of undefined
static Napi::Value run(const Napi::CallbackInfo& info) {
  const Napi::Object o = info[1].As<Napi::Object>();
  auto job = make_job(info[0], o);
  job->plan = unwrap<Plan>(o.Get("plan"));
  job->cache = unwrap<KeyValueCache>(o.Get("cache"));
  StepInputs& step = job->step;
  step.tokens = array_field<uint32_t>(o, "tokens", &step.token_count);
  step.rows = array_field<uint32_t>(o, "rows", &step.row_count);
  step.targets = o.Get("targets").IsUndefined() ? nullptr : array_field<uint32_t>(o, "targets");
  step.position = size_field(o, "position");
  step.cache = job->cache.get();
  if (!o.Get("estimators").IsUndefined()) {
    const std::shared_ptr<HeldEstimators>& held = unwrap<HeldEstimators>(o.Get("estimators"));
    job->estimators = std::shared_ptr<const Estimators>(held, &held->estimators);
    step.thresholds = array_field<float>(o, "thresholds");
  }
  step.estimators = job->estimators.get();
  step.bits = array_field<uint8_t>(o, "bits");
  step.estimates = array_field<float>(o, "estimates");
  const auto place = [&](const char* field, const std::vector<int>& values) {
    const Napi::Array arrays = o.Get(field).As<Napi::Array>();
    for (uint32_t i = 0; i < values.size(); i++) step.placed.emplace_back(values[i], array_data<void>(arrays.Get(i)));
  };
  place("inputs", job->program->program.inputs);
  place("outputs", job->plan->outputs);
  return submit(std::move(job));
}

void InitBackend(Napi::Env env, Napi::Object exports) {
  const auto add = [&](const char* name, auto function) { exports.Set(name, Napi::Function::New(env, function, name)); };
  add("instructions", instructions);
  add("createBackend", create_backend);
  add("disposeBackend", dispose_backend);
  add("compile", compile);
  add("disposeProgram", dispose_program);
  add("createPlan", create_plan);
  add("createEstimators", create_estimators);
  add("createCache", create_cache);
  add("disposeCache", dispose_cache);
  add("run", run);
  add("readAccumulator", copy_accumulator<true>);
  add("writeAccumulator", copy_accumulator<false>);
  add("updateWeights", update_weights);
}

}  // namespace dpllm
