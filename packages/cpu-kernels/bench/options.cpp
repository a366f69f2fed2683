#include "options.h"

#include <cstdio>
#include <cstdlib>
#include <sstream>

namespace dpllm {

static const char USAGE[] =
    "bench_gemv [options]: bit-plane GEMV from memory against a linear read of as many bytes in the same run\n"
    "  --shapes 4096x4096,14336x4096   rows x cols\n"
    "  --bits 3,4,5,6,8\n"
    "  --activations 8,16              bits of an activation (fast, precise)\n"
    "  --threads 1,2\n"
    "  --tokens 1                      vectors at once, 1 to 512; more than 4 have 8-bit activations\n"
    "  --planes 6                      planes of the stored matrices (default: as many as are read)\n"
    "  --pool 512                      MiB of matrices, more than the last-level cache\n"
    "  --repetitions 9\n"
    "  --isa avx512|avx2|neon|generic\n"
    "  --small-pages\n"
    "  --json\n";

[[noreturn]] static void fail(const std::string& message) {
  std::fprintf(stderr, "%s\n%s", message.c_str(), USAGE);
  std::exit(2);
}

static std::vector<std::string> split(const std::string& list) {
  std::vector<std::string> items;
  std::istringstream stream(list);
  for (std::string item; std::getline(stream, item, ',');) items.push_back(item);
  return items;
}

static int number(const std::string& text, int min, int max) {
  char* end = nullptr;
  const long value = std::strtol(text.c_str(), &end, 10);
  if (text.empty() || *end != '\0' || value < min || value > max) {
    fail("a number from " + std::to_string(min) + " to " + std::to_string(max) + " is wanted, not '" + text + "'");
  }
  return static_cast<int>(value);
}

static std::vector<int> numbers(const std::string& list, int min, int max) {
  std::vector<int> values;
  for (const std::string& item : split(list)) values.push_back(number(item, min, max));
  return values;
}

static Shape shape(const std::string& text) {
  const size_t x = text.find('x');
  if (x == std::string::npos) fail("a shape is rows x cols, as in 4096x14336, not '" + text + "'");
  return {static_cast<size_t>(number(text.substr(0, x), 1, 1 << 20)), static_cast<size_t>(number(text.substr(x + 1), 1, 1 << 20))};
}

Options parse_options(int argc, char** argv) {
  Options o;
  for (int i = 1; i < argc; i++) {
    const std::string name = argv[i];
    if (name == "--json") {
      o.json = true;
    } else if (name == "--small-pages") {
      o.huge_pages = false;
    } else if (name == "--help") {
      std::printf("%s", USAGE);
      std::exit(0);
    } else {
      if (++i == argc) fail("unknown option, or one that lacks its value: " + name);
      const std::string value = argv[i];
      if (name == "--shapes") {
        o.shapes.clear();
        for (const std::string& item : split(value)) o.shapes.push_back(shape(item));
      } else if (name == "--bits") {
        o.bits = numbers(value, 1, 8);
      } else if (name == "--activations") {
        o.activation_bits = numbers(value, 8, 16);
      } else if (name == "--threads") {
        o.threads = numbers(value, 1, 1024);
      } else if (name == "--tokens") {
        o.tokens = number(value, 1, 512);
      } else if (name == "--planes") {
        o.planes = number(value, 1, 8);
      } else if (name == "--pool") {
        o.pool_mib = static_cast<size_t>(number(value, 1, 1 << 20));
      } else if (name == "--repetitions") {
        o.repetitions = number(value, 1, 1000);
      } else if (name == "--isa") {
        o.isa = value;
      } else {
        fail("unknown option " + name);
      }
    }
  }
  return o;
}

}  // namespace dpllm
