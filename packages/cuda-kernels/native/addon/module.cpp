// Devices, compiled programs, plans, estimators, caches, steps and accumulators as JavaScript externals;
// src/native-types.ts and core's native/binding.ts describe them. Compiling, steps and copies run on Node's thread pool.
#include <napi.h>

#include <algorithm>
#include <memory>

#include "addon/fields.h"
#include "addon/parse_program.h"
#include "addon/task.h"
#include "program/step.h"

namespace dpllm {
namespace {

// What compile() gives. Steps of one program run one after another, as core's native/compiled-program.ts sees to, and have ended when
// it is disposed.
struct CompiledProgram {
  int device;
  FloatType cache_type;
  bool use_graphs;
  Program program;
  std::unique_ptr<Stream> stream;
  Workspace workspace;
  std::vector<std::weak_ptr<Estimators>> estimators;
  std::vector<std::weak_ptr<KeyValueCache>> caches;
  Napi::ObjectReference arrays;  // keeps the caller's weights

  ~CompiledProgram() {
    // Their objects are the collector's, but what they hold on the device goes with the program.
    for (const auto& held : estimators) {
      if (const auto alive = held.lock()) alive->of_select.clear();
    }
    for (const auto& held : caches) {
      if (const auto alive = held.lock()) alive->keys.clear(), alive->values.clear();
    }
  }
};

template <class T>
void remember(std::vector<std::weak_ptr<T>>& known, const std::shared_ptr<T>& object) {
  known.erase(std::remove_if(known.begin(), known.end(), [](const auto& held) { return held.expired(); }), known.end());
  known.push_back(object);
}

// A handle holds its object until it is collected or released; what still runs keeps what it needs.
template <class T>
Napi::Value wrap(Napi::Env env, std::shared_ptr<T> object) {
  return Napi::External<std::shared_ptr<T>>::New(env, new std::shared_ptr<T>(std::move(object)),
                                                 [](Napi::Env, std::shared_ptr<T>* held) { delete held; });
}

template <class T>
std::shared_ptr<T>& unwrap(const Napi::Value& value) {
  std::shared_ptr<T>& object = *value.As<Napi::External<std::shared_ptr<T>>>().Data();
  if (object == nullptr) throw Napi::Error::New(value.Env(), "already disposed");
  return object;
}

template <class T>
void release(const Napi::CallbackInfo& info) { unwrap<T>(info[0]).reset(); }

// Errors of CUDA calls become JavaScript's.
template <class Body>
auto guarded(Napi::Env env, Body&& body) {
  try {
    return body();
  } catch (const CudaError& error) {
    throw Napi::Error::New(env, error.what());
  }
}

// () -> descriptions of the usable devices. Throws with the name of the call where CUDA cannot be used.
Napi::Value devices(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] {
    int count = 0;
    DPLLM_CUDA(cudaGetDeviceCount, &count);
    Napi::Array result = Napi::Array::New(info.Env());
    for (int i = 0; i < count; i++) {
      cudaDeviceProp properties;
      DPLLM_CUDA(cudaGetDeviceProperties, &properties, i);
      Napi::Object device = Napi::Object::New(info.Env());
      device.Set("name", std::string(properties.name));
      device.Set("memoryBytes", static_cast<double>(properties.totalGlobalMem));
      device.Set("computeCapability", std::to_string(properties.major) + "." + std::to_string(properties.minor));
      device.Set("multiprocessors", properties.multiProcessorCount);
      result.Set(static_cast<uint32_t>(i), device);
    }
    return result;
  });
}

// () -> bytes of device memory that this process's programs hold
Napi::Value allocated_bytes(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), static_cast<double>(allocated_device_bytes()));
}

// (settings, description) -> promise of a program
Napi::Value compile(const Napi::CallbackInfo& info) {
  const Napi::Object settings = info[0].As<Napi::Object>(), description = info[1].As<Napi::Object>();
  auto compiled = std::make_shared<CompiledProgram>();
  compiled->device = int_field(settings, "device");
  compiled->cache_type = static_cast<FloatType>(int_field(settings, "cacheType"));
  compiled->use_graphs = int_field(settings, "graphs") != 0;
  compiled->program = parse_program(description);
  compiled->arrays = Napi::Persistent(description);
  const auto load = [compiled] {
    compiled->stream = std::make_unique<Stream>(compiled->device);
    upload(compiled->program, compiled->device, *compiled->stream);
  };
  return Task::start(description, load, [compiled](Napi::Env env) { return wrap(env, compiled); });
}

// (program, indices) -> promise of undefined: uploads these weights anew
Napi::Value update_weights(const Napi::CallbackInfo& info) {
  const auto compiled = unwrap<CompiledProgram>(info[0]);
  const Napi::Int32Array array = info[1].As<Napi::Int32Array>();
  const std::vector<int> indices(array.Data(), array.Data() + array.ElementLength());
  return Task::start(array, [compiled, indices] {
    for (const int index : indices) compiled->program.weights[index].upload(compiled->device);
  });
}

// (plan)
Napi::Value create_plan(const Napi::CallbackInfo& info) {
  return wrap(info.Env(), std::make_shared<Plan>(parse_plan(info[0].As<Napi::Object>())));
}

// (program, estimators)
Napi::Value create_estimators(const Napi::CallbackInfo& info) {
  const auto& compiled = unwrap<CompiledProgram>(info[0]);
  return guarded(info.Env(), [&] {
    auto estimators = std::make_shared<Estimators>(parse_estimators(info[1].As<Napi::Array>(), compiled->device));
    remember(compiled->estimators, estimators);
    return wrap(info.Env(), std::move(estimators));
  });
}

// (program, capacity)
Napi::Value create_cache(const Napi::CallbackInfo& info) {
  const auto& compiled = unwrap<CompiledProgram>(info[0]);
  const auto capacity = static_cast<size_t>(info[1].As<Napi::Number>().Int64Value());
  return guarded(info.Env(), [&] {
    auto cache = std::make_shared<KeyValueCache>(compiled->program, compiled->device, capacity, compiled->cache_type);
    remember(compiled->caches, cache);
    return wrap(info.Env(), std::move(cache));
  });
}

// (program, index, array) -> promise of undefined
template <bool READ>
Napi::Value copy_accumulator(const Napi::CallbackInfo& info) {
  const auto compiled = unwrap<CompiledProgram>(info[0]);
  const uint32_t index = info[1].As<Napi::Number>().Uint32Value();
  float* data = array_data<float>(info[2]);
  return Task::start(info[2].As<Napi::Object>(), [compiled, index, data] {
    const Accumulator& accumulator = compiled->program.accumulators[index];
    DPLLM_CUDA(cudaSetDevice, compiled->device);
    if (READ) DPLLM_CUDA(cudaMemcpy, data, accumulator.data.as<void>(), accumulator.bytes(), cudaMemcpyDeviceToHost);
    else DPLLM_CUDA(cudaMemcpy, accumulator.data.as<void>(), data, accumulator.bytes(), cudaMemcpyHostToDevice);
  });
}

// (program, step) -> promise of undefined
Napi::Value run_one(const Napi::CallbackInfo& info) {
  const auto compiled = unwrap<CompiledProgram>(info[0]);
  const Napi::Object o = info[1].As<Napi::Object>();
  const auto plan = unwrap<Plan>(o.Get("plan"));
  const auto cache = unwrap<KeyValueCache>(o.Get("cache"));
  std::shared_ptr<Estimators> estimators;
  StepInputs step = {};
  step.tokens = array_field<uint32_t>(o, "tokens", &step.token_count);
  step.rows = array_field<uint32_t>(o, "rows", &step.row_count);
  if (!o.Get("targets").IsUndefined()) step.targets = array_field<uint32_t>(o, "targets");
  step.position = size_field(o, "position");
  step.cache = cache.get();
  if (!o.Get("estimators").IsUndefined()) {
    estimators = unwrap<Estimators>(o.Get("estimators"));
    step.thresholds = array_field<float>(o, "thresholds");
  }
  step.estimators = estimators.get();
  step.bits = array_field<uint8_t>(o, "bits");
  step.estimates = array_field<float>(o, "estimates");
  const Napi::Array inputs = o.Get("inputs").As<Napi::Array>(), outputs = o.Get("outputs").As<Napi::Array>();
  for (uint32_t i = 0; i < inputs.Length(); i++) step.inputs.push_back(array_data<float>(inputs.Get(i)));
  for (uint32_t i = 0; i < outputs.Length(); i++) step.outputs.push_back(array_data<float>(outputs.Get(i)));
  return Task::start(o, [compiled, plan, cache, estimators, step = std::move(step)] {
    Execution execution = {compiled->program, *plan, step, compiled->workspace, compiled->device, *compiled->stream,
                           compiled->use_graphs};
    run_step(execution);
  });
}

Napi::Object init(Napi::Env env, Napi::Object exports) {
  const auto add = [&](const char* name, auto function) { exports.Set(name, Napi::Function::New(env, function, name)); };
  add("devices", devices);
  add("allocatedBytes", allocated_bytes);
  add("compile", compile);
  add("disposeProgram", release<CompiledProgram>);
  add("updateWeights", update_weights);
  add("createPlan", create_plan);
  add("createEstimators", create_estimators);
  add("createCache", create_cache);
  add("disposeCache", release<KeyValueCache>);
  add("readAccumulator", copy_accumulator<true>);
  add("writeAccumulator", copy_accumulator<false>);
  add("run", run_one);
  return exports;
}

}  // namespace

static Napi::Object Init(Napi::Env env, Napi::Object exports) { return init(env, exports); }
NODE_API_MODULE(dpllm_cuda, Init)

}  // namespace dpllm
