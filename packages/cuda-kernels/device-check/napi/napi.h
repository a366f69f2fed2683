#pragma once
// In place of node-addon-api where there is no Node: what native/addon's parsers use of it, on the parsed file of cases. A
// typed array is {"at": byte offset in the data file, "length": elements}, or, if of i32, an array of numbers.
#include <cstdint>
#include <list>
#include <stdexcept>
#include <string>
#include <vector>

#include "../json.h"

using napi_env = void*;
enum napi_status { napi_ok, napi_invalid_arg };

namespace Napi {

using Env = napi_env;
inline char* data_file;  // the contents

class Value {
 public:
  Value() = default;
  Value(const json::Value* value) : value_(value) {}
  template <class T>
  T As() const { return T(value_); }
  bool IsUndefined() const { return value_ == nullptr || value_->kind == json::Value::Kind::null; }
  Napi::Env Env() const { return nullptr; }
  const json::Value* json() const { return value_; }

 protected:
  const json::Value* value_ = nullptr;
};

struct Number : Value {
  using Value::Value;
  int32_t Int32Value() const { return static_cast<int32_t>(value_->number); }
  int64_t Int64Value() const { return static_cast<int64_t>(value_->number); }
  float FloatValue() const { return static_cast<float>(value_->number); }
};

struct String : Value {
  using Value::Value;
  operator std::string() const { return value_->string; }
};

struct Object : Value {
  using Value::Value;
  Value Get(const char* name) const { return value_->find(name); }
  bool Has(const char* name) const { return value_->find(name) != nullptr; }
};

struct Array : Object {
  using Object::Object;
  using Object::Get;
  uint32_t Length() const { return static_cast<uint32_t>(value_->array.size()); }
  Value Get(uint32_t i) const { return &value_->array[i]; }
};

struct TypedArray : Value {
  using Value::Value;
  size_t ElementLength() const {
    return value_->kind == json::Value::Kind::array ? value_->array.size() : static_cast<size_t>(value_->at("length").number);
  }
};

struct TypeError {
  static std::runtime_error New(Napi::Env, const std::string& message) { return std::runtime_error(message); }
};

}  // namespace Napi

inline napi_status napi_get_typedarray_info(napi_env, const Napi::Value& array, void*, void*, void** data, void*, void*) {
  if (array.IsUndefined()) return napi_invalid_arg;
  if (array.json()->kind == json::Value::Kind::array) {
    static std::list<std::vector<int32_t>> kept;
    kept.emplace_back();
    for (const json::Value& element : array.json()->array) kept.back().push_back(static_cast<int32_t>(element.number));
    *data = kept.back().data();
    return napi_ok;
  }
  *data = Napi::data_file + static_cast<size_t>(array.json()->at("at").number);
  return napi_ok;
}
