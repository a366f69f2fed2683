// Measures kernels and whole steps on device 0: benchmark BENCHMARK.json [--OPTION NUMBER ...] (measurements.h: Options),
// where the file is of test/support/device-models.ts. Prints one line of JSON for each measurement.
#include <cstring>

#include "device/check.h"
#include "measurements.h"
#include "read_json.h"

using namespace dpllm;

static Options parse(int argc, char** argv) {
  Options options;
  for (int i = 2; i + 1 < argc; i += 2) {
    const std::string name = argv[i];
    const double value = std::atof(argv[i + 1]);
    if (name == "--megabytes") options.megabytes = static_cast<size_t>(value);
    else if (name == "--context") options.context = static_cast<size_t>(value);
    else if (name == "--prefill") options.prefill = static_cast<size_t>(value);
    else if (name == "--tokens") options.tokens = static_cast<size_t>(value);
    else if (name == "--repeats") options.repeats = static_cast<size_t>(value);
    else if (name == "--seconds") options.seconds = value;
    else throw std::runtime_error("unknown option " + name);
  }
  return options;
}

int main(int argc, char** argv) try {
  if (argc < 2 || argc % 2 != 0) throw std::runtime_error("usage: benchmark BENCHMARK.json [--OPTION NUMBER ...]");
  const Options options = parse(argc, argv);
  const json::Value file = read_json(argv[1]);
  setvbuf(stdout, nullptr, _IOLBF, 0);
  cudaDeviceProp properties;
  DPLLM_CUDA(cudaGetDeviceProperties, &properties, 0);
  const double copy = measure_copy(options);
  std::printf("{\"kind\":\"device\",\"name\":\"%s\",\"capability\":\"%d.%d\",\"multiprocessors\":%d,\"l2_bytes\":%d,"
              "\"memory_bytes\":%zu,\"copy_gbps\":%.1f}\n", properties.name, properties.major, properties.minor,
              properties.multiProcessorCount, properties.l2CacheSize, properties.totalGlobalMem, copy);
  // Models first: they are what counts, should the time not suffice. The first program of each has fixed bits, too.
  for (const json::Value& model : file.at("models").array) {
    for (auto program = model.at("programs").array.rbegin(); program != model.at("programs").array.rend(); ++program)
      measure_model(model.at("name").string, *program, options);
  }
  measure_products(file.at("products"), copy, options);
  return 0;
} catch (const std::exception& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return 2;
}
