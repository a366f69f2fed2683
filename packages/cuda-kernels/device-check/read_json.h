#pragma once
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>

#include "json.h"

inline std::string read_file(const char* name) {
  std::ifstream file(name, std::ios::binary);
  if (!file) throw std::runtime_error(std::string("cannot read ") + name);
  return {std::istreambuf_iterator<char>(file), {}};
}

inline json::Value read_json(const char* name) {
  const std::string text = read_file(name);
  return json::Parser(text).value();
}
