#pragma once
// Reading the plain objects that core's native/lower.ts makes. They are well formed: wrong types throw a JavaScript TypeError.
#include <napi.h>

#include <vector>

namespace dpllm {

inline int int_field(const Napi::Object& object, const char* name) { return object.Get(name).As<Napi::Number>().Int32Value(); }
inline size_t size_field(const Napi::Object& object, const char* name) {
  return static_cast<size_t>(object.Get(name).As<Napi::Number>().Int64Value());
}
inline double double_field(const Napi::Object& object, const char* name) {
  return object.Get(name).As<Napi::Number>().DoubleValue();
}

// The memory of a typed array, over any kind of buffer.
template <class T>
T* array_data(const Napi::Value& array) {
  void* data = nullptr;
  const napi_status status = napi_get_typedarray_info(array.Env(), array, nullptr, nullptr, &data, nullptr, nullptr);
  if (status != napi_ok) throw Napi::TypeError::New(array.Env(), "typed array expected");
  return static_cast<T*>(data);
}

template <class T>
T* array_field(const Napi::Object& object, const char* name, size_t* length = nullptr) {
  const Napi::Value array = object.Get(name);
  if (length != nullptr) *length = array.As<Napi::TypedArray>().ElementLength();
  return array_data<T>(array);
}

inline std::vector<int> ints_field(const Napi::Object& object, const char* name) {
  size_t length = 0;
  const int32_t* data = array_field<int32_t>(object, name, &length);
  return std::vector<int>(data, data + length);
}

// Calls body(element, index) for an array of objects.
template <class Body>
void for_each_field(const Napi::Object& object, const char* name, Body&& body) {
  const Napi::Array array = object.Get(name).As<Napi::Array>();
  for (uint32_t i = 0; i < array.Length(); i++) body(array.Get(i).As<Napi::Object>(), i);
}

}  // namespace dpllm
