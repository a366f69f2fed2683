// Runs steps of a small decoder and counts what they allocate: once memory has been taken for the largest of them, nothing,
// however many tokens they have and whatever bits these read.
//
// The allocator is glibc's, by the names under which it stays callable.
#include <atomic>
#include <cerrno>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <random>

#include "kernels/select.h"
#include "program/step.h"

static std::atomic<size_t> allocations{0};

extern "C" {
void* __libc_malloc(size_t);
void* __libc_calloc(size_t, size_t);
void* __libc_realloc(void*, size_t);
void* __libc_memalign(size_t, size_t);

void* malloc(size_t bytes) { return allocations++, __libc_malloc(bytes); }
void* calloc(size_t count, size_t bytes) { return allocations++, __libc_calloc(count, bytes); }
void* realloc(void* data, size_t bytes) { return allocations++, __libc_realloc(data, bytes); }
void* aligned_alloc(size_t alignment, size_t bytes) { return allocations++, __libc_memalign(alignment, bytes); }
int posix_memalign(void** data, size_t alignment, size_t bytes) {
  *data = aligned_alloc(alignment, bytes);
  return *data == nullptr ? ENOMEM : 0;
}
}

using namespace dpllm;

constexpr size_t VOCABULARY = 300, WIDTH = 96, HEADS = 4, KV_HEADS = 2, HEAD_DIM = 24, HIDDEN = 160, CAPACITY = 64;
constexpr int SEED_BITS = 3, TOP_BITS = 6;

// What a program points into.
struct Arrays {
  std::mt19937 generator{1};
  std::vector<std::vector<uint32_t>> words;
  std::vector<std::vector<uint16_t>> halves;
  std::vector<std::vector<float>> floats;

  const float* random(size_t n) {
    std::normal_distribution<float> normal;
    floats.emplace_back(n);
    for (float& x : floats.back()) x = normal(generator);
    return floats.back().data();
  }

  Weight dense(size_t rows, size_t cols) {
    Weight w;
    w.rows = rows, w.cols = cols, w.data = random(rows * cols);
    return w;
  }

  Weight vector(size_t n) {
    Weight w = dense(1, n);
    w.widened = floats.back();
    return w;
  }

  Weight bit_planes(size_t rows, size_t cols) {
    Weight w;
    w.bit_planes = true;
    w.rows = rows, w.cols = cols, w.seed_bits = SEED_BITS, w.max_bits = TOP_BITS;
    words.emplace_back(TOP_BITS * rows * ((cols + 31) / 32));
    for (uint32_t& word : words.back()) word = uint32_t(generator());
    w.planes = words.back().data();
    for (int bits = SEED_BITS; bits <= TOP_BITS; bits++) {
      halves.emplace_back(rows << bits);
      for (uint16_t& centroid : halves.back()) centroid = uint16_t(0x2000 | (generator() & 0x8fff));  // 2^-7 to 2^-3
      w.luts[bits] = halves.back().data();
    }
    return w;
  }
};

// A program under construction: values are numbered as they are written.
struct Builder {
  Arrays& arrays;
  Program program;
  int selects = 0;

  int value(size_t width, Axis axis = Axis::tokens, size_t bytes = 4) {
    program.values.push_back({bytes, axis, 0, width});
    return int(program.values.size()) - 1;
  }
  int weight(Weight w) {
    program.weights.push_back(std::move(w));
    return int(program.weights.size()) - 1;
  }
  template <class Op>
  int add(const Op& op, int out) {
    program.operators.push_back(op);
    return out;
  }

  int norm(int x) {
    const int out = value(WIDTH, program.values[x].axis);
    return add(RmsNorm{x, weight(arrays.vector(WIDTH)), 1e-5f, out}, out);
  }
  // Its bits are selected for each token.
  int linear(int x, size_t rows, size_t cols) {
    const int w = weight(arrays.bit_planes(rows, cols)), bits = value(1, Axis::tokens, 1), estimate = value(1), out = value(rows);
    add(Select{x, w, bits, estimate, selects++}, bits);
    return add(Linear{x, w, NONE, bits, out}, out);
  }
  int sum(int a, int b) {
    const int out = value(WIDTH);
    return add(Add{a, b, out}, out);
  }
};

static Program make_program(Arrays& arrays) {
  Builder b{arrays, {}};
  const int embedding = b.value(WIDTH);
  int x = b.add(Embed{b.weight(arrays.dense(VOCABULARY, WIDTH)), embedding}, embedding);
  const int frequencies = b.weight(arrays.vector(HEAD_DIM / 2));
  for (int layer = 0; layer < 2; layer++) {
    const int h = b.norm(x);
    const int qkv = b.linear(h, (HEADS + 2 * KV_HEADS) * HEAD_DIM, WIDTH);
    const int q = b.value(HEADS * HEAD_DIM), k = b.value(KV_HEADS * HEAD_DIM), v = b.value(KV_HEADS * HEAD_DIM);
    b.add(Split{qkv, {q, k, v}}, q);
    const int rotated_q = b.value(HEADS * HEAD_DIM), rotated_k = b.value(KV_HEADS * HEAD_DIM), attended = b.value(HEADS * HEAD_DIM);
    b.add(Rope{q, frequencies, HEAD_DIM, 1.0, false, rotated_q}, q), b.add(Rope{k, frequencies, HEAD_DIM, 1.0, false, rotated_k}, k);
    b.add(Attention{rotated_q, rotated_k, v, layer, HEADS, KV_HEADS, HEAD_DIM, 0.2f, 0, attended}, attended);
    x = b.sum(x, b.linear(attended, WIDTH, HEADS * HEAD_DIM));
    const int n = b.norm(x);
    const int gate = b.linear(n, HIDDEN, WIDTH), up = b.linear(n, HIDDEN, WIDTH), gated = b.value(HIDDEN);
    b.add(Gate{gate, up, Activation::silu, gated}, gated);
    x = b.sum(x, b.linear(gated, WIDTH, HIDDEN));
    b.program.cache_widths.push_back(KV_HEADS * HEAD_DIM);
  }
  const int last = b.value(WIDTH, Axis::rows), logits = b.value(VOCABULARY, Axis::rows);
  b.add(Take{x, last}, last);
  b.add(Linear{b.norm(last), b.weight(arrays.dense(VOCABULARY, WIDTH)), NONE, NONE, logits}, logits);
  return std::move(b.program);
}

// All operators, a slot for every value but bits and logits.
static Plan make_plan(const Program& program) {
  Plan plan;
  for (size_t i = 0; i < program.operators.size(); i++) plan.operators.push_back(int(i));
  for (const Value& v : program.values) {
    plan.slot_of.push_back(v.element_bytes == 4 ? int(plan.slots.size()) : NONE);
    if (v.element_bytes == 4) plan.slots.push_back({v.axis, v.width * v.element_bytes});
  }
  plan.slot_of.back() = NONE;
  plan.outputs.push_back(int(program.values.size()) - 1);
  return plan;
}

// One estimator of each kind that generation uses, by turns.
static Estimators make_estimators(Arrays& arrays, const Program& program) {
  Estimators estimators;
  for (const Operator& op : program.operators) {
    const Select* select = std::get_if<Select>(&op);
    if (select == nullptr) continue;
    const size_t width = program.values[select->x].width;
    Estimator e = {};
    switch (select->index % 4) {
      case 0: e.kind = Estimator::Kind::linear, e.slope = 1, e.intercept = 0; break;
      case 1: e.kind = Estimator::Kind::projection, e.rows = 16, e.matrix = arrays.random(16 * width); break;
      case 2: e.kind = Estimator::Kind::probe, e.weights = arrays.random(width), e.bias = 0; break;
      case 3: e.kind = Estimator::Kind::exact, e.low = SEED_BITS, e.high = TOP_BITS; break;
    }
    estimators.push_back(e);
  }
  return estimators;
}

static size_t count(const Kernels& kernels, Arithmetic arithmetic, FloatType cache_type, int threads) {
  Arrays arrays;
  Program program = make_program(arrays);
  const Plan plan = make_plan(program);
  const Estimators estimators = make_estimators(arrays, program);
  ThreadPool pool(threads);
  Workspace workspace;
  KeyValueCache cache(program, CAPACITY, cache_type);
  constexpr size_t MOST_TOKENS = 20;
  const uint32_t rows[] = {0};
  uint32_t tokens[MOST_TOKENS];
  std::vector<float> logits(VOCABULARY), thresholds(estimators.size() * THRESHOLDS), estimates(estimators.size() * MOST_TOKENS);
  std::vector<uint8_t> bits(estimates.size());
  const std::atomic<bool> cancelled{false};
  std::vector<std::pair<int, void*>> placed = {{plan.outputs[0], logits.data()}};
  StepInputs step = {tokens, rows, nullptr, 0, 1, 0, &cache, &estimators, thresholds.data(), bits.data(), estimates.data(), std::move(placed)};
  Execution execution = {program, kernels, arithmetic, pool, workspace, step};

  const auto run = [&](size_t token_count, int bit_count) {
    step.token_count = token_count;
    for (uint32_t& token : tokens) token = uint32_t(arrays.generator() % VOCABULARY);
    for (float& threshold : thresholds) threshold = float(arrays.generator() % 40);
    // To begin with, all tokens read the same bits: tables are made when they are first needed.
    for (size_t i = 0; bit_count > 0 && i < thresholds.size(); i++) thresholds[i] = int(i % THRESHOLDS) < bit_count - MIN_BITS ? -INFINITY : INFINITY;
    run_step(execution, plan, cancelled);
    step.position = (step.position + token_count) % (CAPACITY - MOST_TOKENS);
  };
  for (int b = SEED_BITS; b <= TOP_BITS; b++) {
    for (const size_t token_count : {MOST_TOKENS, size_t{1}}) run(token_count, b);
  }
  size_t read[MAX_BITS + 1] = {};
  const size_t before = allocations;
  for (int i = 0; i < 200; i++) {
    run(i % 20 == 0 ? MOST_TOKENS : i % 5 == 0 ? 3 : 1, 0);
    for (size_t select = 0; select < estimators.size(); select++) read[bits[select * step.token_count]]++;
  }
  const size_t found = allocations - before;
  for (int b = SEED_BITS; b <= TOP_BITS; b++) {
    if (read[b] == 0 || !std::isfinite(logits[0]) || logits[0] == 0) std::printf("%s: steps that decide nothing\n", kernels.name), std::exit(2);
  }
  return found;
}

int main() {
  // The counter itself.
  const size_t before = allocations;
  std::vector<int>* volatile counted = new std::vector<int>(5);
  delete counted;
  if (allocations - before != 2) return std::printf("allocations are not counted\n"), 2;
  size_t sum = 0;
  for (const Kernels* kernels : available_kernels()) {
    for (const Arithmetic arithmetic : {Arithmetic::fast, Arithmetic::precise}) {
      for (const int threads : {1, 2}) {
        for (const FloatType type : {FloatType::f32, FloatType::f16}) {
          const size_t found = count(*kernels, arithmetic, type, threads);
          if (found != 0) std::printf("%s: %zu allocations in 200 steps\n", kernels->name, found);
          sum += found;
        }
      }
    }
  }
  std::printf("%zu allocations\n", sum);
  return sum == 0 ? 0 : 1;
}
