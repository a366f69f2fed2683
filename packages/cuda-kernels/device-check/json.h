#pragma once
// Just enough JSON for the file of cases, which this project writes: objects, arrays, strings without escapes but \", numbers
// and true, false, null.
#include <cstdlib>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace json {

struct Value {
  enum class Kind { null, number, string, array, object } kind = Kind::null;
  double number = 0;
  std::string string;
  std::vector<Value> array;
  std::map<std::string, Value> object;

  const Value* find(const std::string& name) const {
    const auto found = object.find(name);
    return found == object.end() ? nullptr : &found->second;
  }
  const Value& at(const std::string& name) const {
    const Value* found = find(name);
    if (found == nullptr) throw std::runtime_error("no field " + name);
    return *found;
  }
};

class Parser {
 public:
  explicit Parser(const std::string& text) : p_(text.c_str()) {}

  Value value() {
    space();
    Value result;
    if (*p_ == '{') {
      result.kind = Value::Kind::object;
      list('}', [&] {
        const std::string name = string();
        expect(':');
        result.object[name] = value();
      });
    } else if (*p_ == '[') {
      result.kind = Value::Kind::array;
      list(']', [&] { result.array.push_back(value()); });
    } else if (*p_ == '"') {
      result.kind = Value::Kind::string;
      result.string = string();
    } else if (*p_ >= 'a' && *p_ <= 'z') {
      if (*p_ == 't' || *p_ == 'f') result.kind = Value::Kind::number, result.number = *p_ == 't';
      while (*p_ >= 'a' && *p_ <= 'z') p_++;
    } else {
      char* end = nullptr;
      result.kind = Value::Kind::number;
      result.number = std::strtod(p_, &end);
      if (end == p_) throw std::runtime_error(std::string("no JSON: ") + std::string(p_, 20));
      p_ = end;
    }
    return result;
  }

 private:
  void space() {
    while (*p_ == ' ' || *p_ == '\n') p_++;
  }
  void expect(char c) {
    space();
    if (*p_ != c) throw std::runtime_error(std::string("expected ") + c);
    p_++;
  }
  std::string string() {
    expect('"');
    std::string result;
    for (; *p_ != '"' && *p_ != 0; p_++) {
      if (*p_ == '\\') p_++;
      result += *p_;
    }
    expect('"');
    return result;
  }
  template <class Item>
  void list(char end, Item&& item) {
    p_++;
    for (space(); *p_ != end; space()) {
      item();
      space();
      if (*p_ == ',') p_++, space();
      else if (*p_ != end) throw std::runtime_error("expected , or the end of a list");
    }
    p_++;
  }

  const char* p_;
};

}  // namespace json
