#include <cmath>

#include "addon/fields.h"
#include "addon/parse_program.h"
#include "measurements.h"
#include "random_weights.h"
#include "step_runner.h"

namespace dpllm {
namespace {

using Kind = Estimator::Kind;

constexpr size_t ROUNDS = 4;

Program program_of(const json::Value& o, RandomWeights& random) {
  Program program = parse_program(Napi::Object(&o.at("description")));
  for (const json::Value& w : o.at("weights").array) {
    const Napi::Object weight(&w);
    const size_t rows = size_field(weight, "rows"), cols = size_field(weight, "cols");
    if (weight.Has("maxBits"))
      program.weights.emplace_back(random.bit_planes(rows, cols, int_field(weight, "seedBits"), int_field(weight, "maxBits")));
    else program.weights.emplace_back(random.dense(rows, cols, static_cast<FloatType>(int_field(weight, "type"))));
  }
  return program;
}

// One model under measurement: a stream of random tokens behind a context.
class Model {
 public:
  Model(const std::string& name, const json::Value& o, const Options& options, RandomWeights& weights)
      : name_(name),
        select_inputs_(o.at("selectInputs").string),
        layers_(static_cast<size_t>(o.at("layers").number)),
        vocabulary_(static_cast<uint32_t>(o.at("vocabulary").number)),
        options_(options),
        runner_(program_of(o, weights), parse_plan(Napi::Object(&o.at("plan"))),
                std::max(options.prefill, options.context + options.tokens + 8)) {
    for (const Operator& op : runner_.program().operators) {
      if (const Select* select = std::get_if<Select>(&op)) selects_.push_back(*select);
    }
  }

  const std::string& select_inputs() const { return select_inputs_; }
  void fixed_bits();
  void prefill();
  void target(const char* estimator, Kind kind, int low, int high, double share);

 private:
  size_t parameters(size_t select) const {
    const Weight& w = runner_.program().weights[selects_[select].weight];
    return w.rows() * w.cols();
  }
  // Of the last step, each linear weighed by its parameters.
  double average_bits() const {
    double bits = 0, all = 0;
    for (size_t i = 0; i < selects_.size(); i++) {
      bits += static_cast<double>(runner_.bits()[i] * parameters(i));
      all += static_cast<double>(parameters(i));
    }
    return bits / all;
  }
  // Decodes `count` tokens, the same ones each time; calls before(token) and after(token) around each.
  template <class Before, class After>
  std::vector<Timing> decode(const Policy& policy, size_t count, Before&& before, After&& after);
  std::vector<Timing> decode(const Policy& policy, size_t count) {
    return decode(policy, count, [](size_t) {}, [](size_t) {});
  }
  Policy estimating(Kind kind);
  Policy alternating(int low, int high, double share) const;

  std::string name_, select_inputs_;
  size_t layers_;
  uint32_t vocabulary_;
  const Options& options_;
  StepRunner runner_;
  std::vector<Select> selects_;
};

double median_of(const std::vector<Timing>& timings, double Timing::*field) {
  std::vector<double> values;
  for (const Timing& timing : timings) values.push_back(timing.*field);
  return median(values);
}

template <class Before, class After>
std::vector<Timing> Model::decode(const Policy& policy, size_t count, Before&& before, After&& after) {
  std::vector<Timing> timings;
  Random random(11);
  for (size_t i = 0; i < count + 2; i++) {  // as it is, and recorded, before what counts
    const auto token = static_cast<uint32_t>(random.bits() % vocabulary_);
    if (i >= 2) before(i - 2);
    const Timing timing = runner_.run({token}, options_.context + i, policy);
    if (i < 2) continue;
    timings.push_back(timing);
    after(i - 2);
  }
  return timings;
}

void Model::fixed_bits() {
  for (int bits = 3; bits <= MAX_BITS; bits++) {
    const Policy policy = fixed_policy(selects_.size(), [&](size_t) { return bits; });
    const std::vector<Timing> timings = decode(policy, options_.tokens);
    bool finite = true;
    for (const float logit : runner_.output()) finite = finite && std::isfinite(logit);
    std::printf("{\"kind\":\"decode\",\"model\":\"%s\",\"bits\":%d,\"context\":%zu,\"device_us\":%.2f,\"wall_us\":%.2f,"
                "\"kernels\":%zu,\"kernels_per_layer\":%.1f,\"finite\":%s}\n", name_.c_str(), bits, options_.context,
                median_of(timings, &Timing::device_us), median_of(timings, &Timing::wall_us), runner_.kernels(),
                static_cast<double>(runner_.kernels()) / static_cast<double>(layers_), finite ? "true" : "false");
  }
}

void Model::prefill() {
  Random random(13);
  std::vector<uint32_t> tokens(options_.prefill);
  for (uint32_t& token : tokens) token = static_cast<uint32_t>(random.bits() % vocabulary_);
  const Policy policy = fixed_policy(selects_.size(), [](size_t) { return 4; });
  std::vector<double> times;
  for (int i = 0; i < 4; i++) times.push_back(runner_.run(tokens, 0, policy).device_us);
  times.erase(times.begin());
  std::printf("{\"kind\":\"prefill\",\"model\":\"%s\",\"bits\":4,\"tokens\":%zu,\"device_us\":%.1f}\n", name_.c_str(),
              tokens.size(), median(times));
}

// Made-up estimators of one kind for all selects. Their bits are fixed until thresholds are set.
Policy Model::estimating(Kind kind) {
  constexpr size_t PROJECTED = 64;
  Policy policy = fixed_policy(selects_.size(), [](size_t) { return 3; });
  Random random(17);
  for (size_t i = 0; i < selects_.size(); i++) {
    Estimator& estimator = policy.estimators.of_select[i];
    estimator.kind = kind;
    estimator.slope = 1;
    if (kind == Kind::linear) continue;
    estimator.rows = kind == Kind::projection ? PROJECTED : 0;
    std::vector<float> data((kind == Kind::projection ? PROJECTED : 1) * runner_.program().values[selects_[i].x].width);
    for (float& value : data) value = random.uniform();
    estimator.data = DeviceBuffer(0, data.data(), data.size() * sizeof(float));
  }
  return policy;
}

// `share` of the layers at `high` bits, for each kind of linear, as evenly spread as can be.
Policy Model::alternating(int low, int high, double share) const {
  const size_t kinds = selects_.size() / layers_;
  return fixed_policy(selects_.size(), [&](size_t i) {
    const double at = static_cast<double>(i / kinds + i % kinds);
    return std::floor((at + 1) * share) > std::floor(at * share) ? high : low;
  });
}

// Every linear reads `high` bits at `share` of the tokens, as its estimate says. Against it: the same bits at the same
// tokens, told beforehand, so that exactly the same planes are read and only the selection is missing; and fixed bits of that
// mean.
void Model::target(const char* estimator, Kind kind, int low, int high, double share) {
  Policy dynamic = estimating(kind);
  const size_t count = std::max<size_t>(options_.tokens, 4);
  std::vector<std::vector<float>> seen(selects_.size());
  decode(dynamic, count, [](size_t) {}, [&](size_t) {
    for (size_t i = 0; i < selects_.size(); i++) seen[i].push_back(runner_.estimates()[i]);
  });
  for (size_t i = 0; i < selects_.size(); i++) {
    std::sort(seen[i].begin(), seen[i].end());
    const auto below = static_cast<size_t>(std::lround((1 - share) * static_cast<double>(count)));
    const float threshold = (seen[i][std::max<size_t>(below, 1) - 1] + seen[i][std::min(below, count - 1)]) / 2;
    dynamic.set(i, low, high, threshold);
  }
  const Policy fixed = alternating(low, high, share);
  Policy told = fixed_policy(selects_.size(), [&](size_t) { return low; });
  std::vector<std::vector<uint8_t>> decided(count);
  std::vector<Timing> timings[3];
  double bits = 0;
  size_t changed = 0;
  const auto append = [](std::vector<Timing>& to, const std::vector<Timing>& some) {
    to.insert(to.end(), some.begin(), some.end());
  };
  for (size_t round = 0; round < ROUNDS; round++) {  // in turns, so that a clock that changes changes all
    append(timings[0], decode(dynamic, count, [](size_t) {}, [&](size_t token) {
      decided[token] = runner_.bits();
      bits += average_bits() / static_cast<double>(ROUNDS * count);
      for (size_t i = 0; token != 0 && i < selects_.size(); i++) changed += decided[token - 1][i] != decided[token][i];
    }));
    const size_t kernels = runner_.kernels();
    append(timings[1], decode(told, count, [&](size_t token) {
      for (size_t i = 0; i < selects_.size(); i++) told.set(i, decided[token][i], decided[token][i], 0.0f);
    }, [](size_t) {}));
    append(timings[2], decode(fixed, count));
    if (round + 1 < ROUNDS) continue;
    const double device = median_of(timings[0], &Timing::device_us), told_device = median_of(timings[1], &Timing::device_us);
    std::printf("{\"kind\":\"dynamic\",\"model\":\"%s\",\"inputs\":\"%s\",\"estimator\":\"%s\",\"target\":%.3f,"
                "\"average_bits\":%.4f,\"device_us\":%.2f,\"wall_us\":%.2f,\"told_device_us\":%.2f,\"overhead\":%.5f,"
                "\"fixed_average_bits\":%.4f,\"fixed_device_us\":%.2f,\"changed\":%.4f,\"kernels\":%zu}\n", name_.c_str(),
                select_inputs_.c_str(), estimator, low + share * (high - low), bits, device,
                median_of(timings[0], &Timing::wall_us), told_device, device / told_device - 1, average_bits(),
                median_of(timings[2], &Timing::device_us),
                static_cast<double>(changed) / static_cast<double>(ROUNDS * (count - 1) * selects_.size()), kernels);
  }
}

}  // namespace

void measure_model(const std::string& name, const json::Value& program, const Options& options) {
  const std::string inputs = program.at("selectInputs").string, what = name + ", estimates from " + inputs + " inputs";
  if (options.time_is_over(what)) return;
  RandomWeights weights;
  Model model(name, program, options, weights);
  const auto target = [&](const char* estimator, Kind kind, int low, int high, double share) {
    if (!options.time_is_over(what + ": " + estimator + " " + std::to_string(low + share * (high - low))))
      model.target(estimator, kind, low, high, share);
  };
  if (inputs == "residual") {
    if (!options.time_is_over(what + ": fixed bits")) model.fixed_bits();
    target("probe", Kind::probe, 3, 4, 0.25);
    target("probe", Kind::probe, 3, 4, 0.5);
    target("probe", Kind::probe, 3, 5, 0.5);
    target("probe", Kind::probe, 4, 5, 0.5);
    if (!options.time_is_over(what + ": prefill")) model.prefill();
  } else {
    target("norm", Kind::linear, 3, 4, 0.5);
    target("norm", Kind::linear, 3, 5, 0.5);
    target("projection of 64", Kind::projection, 3, 4, 0.5);
  }
}

}  // namespace dpllm
