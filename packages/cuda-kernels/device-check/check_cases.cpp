// Runs the operator cases that export-cases.test.ts has written on a device, without Node, and compares them with the
// reference's results: check_cases CASES.json CASES.bin [--graphs] [--only TEXT]. Exits 1 if one differs.
#include <cmath>
#include <cstdio>
#include <cstring>

#include "addon/fields.h"
#include "addon/parse_program.h"
#include "program/step.h"
#include "read_json.h"

using namespace dpllm;

// As core's relativeError: ||found - wanted|| / ||wanted||.
static double relative_error(const std::vector<float>& found, const float* wanted) {
  double error = 0, norm = 0;
  for (size_t i = 0; i < found.size(); i++) {
    error += std::pow(static_cast<double>(found[i]) - wanted[i], 2);
    norm += std::pow(static_cast<double>(wanted[i]), 2);
  }
  if (error == 0) return 0;
  const double ratio = std::sqrt(error / norm);
  return std::isnan(ratio) ? INFINITY : ratio;
}

struct Report {
  std::string name;
  double tolerance;
  bool failed = false;

  void compare(const char* what, size_t step, double error, double limit) {
    if (error <= limit) return;
    failed = true;
    std::printf("FAILED %s, step %zu, %s: %.3g where %.3g is allowed\n", name.c_str(), step, what, error, limit);
  }
};

// One step; `times` more than 1 only where it changes nothing that outlives it but the same places of the cache.
static void run_one(const Napi::Object& o, Program& program, KeyValueCache& cache, Workspace& workspace, const Stream& stream,
                    bool graphs, int times, size_t number, Report& report) {
  const Plan plan = parse_plan(o.Get("plan").As<Napi::Object>());
  Estimators estimators;
  StepInputs step = {};
  step.tokens = array_field<uint32_t>(o, "tokens", &step.token_count);
  step.rows = array_field<uint32_t>(o, "rows", &step.row_count);
  step.targets = o.Has("targets") ? array_field<uint32_t>(o, "targets") : nullptr;
  step.position = size_field(o, "position");
  step.cache = &cache;
  if (o.Has("estimators")) {
    estimators = parse_estimators(o.Get("estimators").As<Napi::Array>(), 0);
    step.estimators = &estimators;
    step.thresholds = array_field<float>(o, "thresholds");
  }
  const size_t decisions = program.selects * step.token_count;
  std::vector<uint8_t> bits(decisions);
  std::vector<float> estimates(decisions);
  step.bits = bits.data();
  step.estimates = estimates.data();
  const Napi::Array inputs = o.Get("inputs").As<Napi::Array>(), outputs = o.Get("outputs").As<Napi::Array>();
  for (uint32_t i = 0; i < inputs.Length(); i++) step.inputs.push_back(array_data<float>(inputs.Get(i)));
  std::vector<std::vector<float>> found;
  for (uint32_t i = 0; i < outputs.Length(); i++) found.emplace_back(outputs.Get(i).As<Napi::TypedArray>().ElementLength());
  for (std::vector<float>& array : found) step.outputs.push_back(array.data());

  Execution execution = {program, plan, step, workspace, 0, stream, graphs};
  for (int i = 0; i < times; i++) {
    for (std::vector<float>& array : found) std::fill(array.begin(), array.end(), NAN);
    run_step(execution);
  }
  for (uint32_t i = 0; i < outputs.Length(); i++)
    report.compare("output", number, relative_error(found[i], array_data<float>(outputs.Get(i))), report.tolerance);
  report.compare("estimates", number, relative_error(estimates, array_field<float>(o, "estimates")), report.tolerance);
  size_t turned = 0;
  for (size_t i = 0; i < decisions; i++) turned += bits[i] != array_field<uint8_t>(o, "bits")[i];
  report.compare("bits", number, static_cast<double>(turned), 0);
}

static bool run_case(const Napi::Object& o, bool graphs) {
  Report report = {o.Get("name").As<Napi::String>(), o.json()->at("tolerance").number};
  Stream stream(0);
  Program program = parse_program(o.Get("description").As<Napi::Object>());
  upload(program, 0, stream);
  KeyValueCache cache(program, 0, size_field(o, "capacity"), FloatType::f32);
  Workspace workspace;
  const Napi::Array steps = o.Get("steps").As<Napi::Array>(), sums = o.Get("accumulators").As<Napi::Array>();
  // The first time as it is, then recorded, then launched again.
  const int times = graphs && program.accumulators.empty() ? 3 : 1;
  for (uint32_t i = 0; i < steps.Length(); i++)
    run_one(steps.Get(i).As<Napi::Object>(), program, cache, workspace, stream, graphs, times, i, report);
  for (uint32_t i = 0; i < sums.Length(); i++) {
    const Accumulator& accumulator = program.accumulators[i];
    std::vector<float> found(accumulator.rows * accumulator.cols);
    DPLLM_CUDA(cudaMemcpy, found.data(), accumulator.data.as<void>(), accumulator.bytes(), cudaMemcpyDeviceToHost);
    report.compare("accumulator", i, relative_error(found, array_data<float>(sums.Get(i))), report.tolerance);
  }
  return !report.failed;
}

int main(int argc, char** argv) try {
  if (argc < 3) throw std::runtime_error("usage: check_cases CASES.json CASES.bin [--graphs] [--only TEXT]");
  bool graphs = false;
  std::string only;
  for (int i = 3; i < argc; i++) {
    if (std::strcmp(argv[i], "--graphs") == 0) graphs = true;
    else if (std::strcmp(argv[i], "--only") == 0 && i + 1 < argc) only = argv[++i];
    else throw std::runtime_error(std::string("unknown option ") + argv[i]);
  }
  std::string data = read_file(argv[2]);
  Napi::data_file = data.data();
  const json::Value cases = read_json(argv[1]);
  cudaDeviceProp properties;
  DPLLM_CUDA(cudaGetDeviceProperties, &properties, 0);
  std::printf("%s, compute capability %d.%d\n", properties.name, properties.major, properties.minor);
  std::map<std::string, std::pair<int, int>> counts;  // passed and failed by the first word of the name
  int failed = 0, run = 0;
  for (const json::Value& one : cases.array) {
    const std::string& name = one.at("name").string;
    if (name.find(only) == std::string::npos) continue;
    const bool passed = run_case(Napi::Object(&one), graphs);
    auto& count = counts[name.substr(0, name.find(' '))];
    (passed ? count.first : count.second)++;
    failed += !passed;
    run++;
  }
  for (const auto& [name, count] : counts) std::printf("%-28s %4d passed %4d failed\n", name.c_str(), count.first, count.second);
  std::printf("%d cases, %d failed%s\n", run, failed, graphs ? ", as graphs" : "");
  return failed == 0 && run != 0 ? 0 : 1;
} catch (const std::exception& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return 2;
}
