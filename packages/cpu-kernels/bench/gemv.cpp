// How near the bit-plane products with one or some vectors come to the memory's speed. Each repetition reads a pool of memory, larger than the
// last-level cache, from end to end, then multiplies by all matrices of the pool, and takes the ratio of the two speeds:
// the machine's own speed changes from minute to minute, the ratio does not. Bytes are those of the planes that are read.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <functional>
#include <random>
#include <string>
#include <vector>

#include "kernels/select.h"
#include "options.h"
#include "threads/buffer.h"
#include "threads/huge_pages.h"
#include "threads/thread_pool.h"

using namespace dpllm;

static std::mt19937_64 generator(1);

// Matrices of one shape and bit count that fill a pool of memory, with one set of tables: those stay in the cache.
struct Matrices {
  const uint32_t* pool;
  size_t count, stride;  // stride in words
  BitPlaneView first;

  size_t bytes() const { return count * first.rows * first.words * 4 * static_cast<size_t>(first.bits); }
};

struct Tables {
  std::vector<uint16_t> lut;
  std::vector<uint8_t> bytes;
  std::vector<float> scales;
};

// Random ones, near the size of weights: speed does not depend on what is in them.
static Tables random_tables(size_t rows, int bits) {
  const size_t entries = size_t{1} << bits;
  Tables tables = {std::vector<uint16_t>(rows * entries), std::vector<uint8_t>(rows * entries * 2), std::vector<float>(rows, 1e-6f)};
  for (uint16_t& centroid : tables.lut) centroid = static_cast<uint16_t>(0x2000 | (generator() & 0x8fff));
  for (size_t i = 0; i < tables.bytes.size(); i++) {
    const bool unused = bits <= BYTE_CENTROID_BITS && i / entries % 2 == 1;
    tables.bytes[i] = unused ? 0 : static_cast<uint8_t>(generator());
  }
  return tables;
}

// The sum of the words, so that they must be read.
static uint64_t linear_read(const uint32_t* pool, size_t bytes, ThreadPool& threads) {
  constexpr size_t PIECE = 65536;
  std::atomic<uint64_t> total{0};
  const auto* words = reinterpret_cast<const uint64_t*>(pool);
  threads.parallel_for(bytes / PIECE, 1, [&](size_t begin, size_t end, int) {
    uint64_t sums[32] = {};
    for (size_t i = begin * PIECE / 8; i < end * PIECE / 8; i += 32) {
      for (size_t j = 0; j < 32; j++) sums[j] += words[i + j];
    }
    uint64_t sum = 0;
    for (const uint64_t s : sums) sum += s;
    total += sum;
  });
  return total;
}

// `tokens` vectors as integers, and places for their products.
struct Vectors {
  size_t tokens;
  int activation_bits;
  Buffer activations;                     // of one token after the other, or as panels
  const uint8_t* rows[MAX_GEMV_TOKENS];
  std::vector<float> products;            // [tokens, rows]
  float* places[MAX_GEMV_TOKENS];

  bool few() const { return tokens <= MAX_GEMV_TOKENS; }

  Vectors(const BitPlaneView& w, const Kernels& kernels, size_t tokens, int activation_bits)
      : tokens(tokens), activation_bits(activation_bits), products(tokens * w.rows) {
    // A panel holds TILE_COLS columns of every token; few tokens have one panel each.
    const size_t width = few() ? w.cols : TILE_COLS, panels = (w.cols + width - 1) / width;
    const size_t bytes = (kernels.activation_bytes(width, activation_bits) + 63) / 64 * 64;
    activations.reserve(panels * tokens * bytes);
    std::vector<float> x(width);
    std::normal_distribution<float> normal;
    for (size_t i = 0; i < panels * tokens; i++) {
      for (float& v : x) v = normal(generator);
      kernels.quantize_activations(x.data(), width, activation_bits, activations.as(i * bytes));
    }
    for (size_t t = 0; few() && t < tokens; t++) rows[t] = activations.as(t * bytes), places[t] = products.data() + t * w.rows;
  }
};

static void multiply_all(const Matrices& m, const Kernels& kernels, ThreadPool& threads, Vectors& x) {
  for (size_t i = 0; i < m.count; i++) {
    BitPlaneView view = m.first;
    view.planes = m.pool + i * m.stride;
    const size_t row_bytes = view.words * 4 * static_cast<size_t>(view.bits);
    if (x.few()) {
      threads.parallel_for(view.rows, (32768 + row_bytes - 1) / row_bytes, [&](size_t begin, size_t end, int) {
        kernels.bit_plane_gemv(view, begin, end, x.rows, static_cast<int>(x.tokens), x.activation_bits, nullptr, x.places);
      });
    } else {
      const ActivationPanels panels = {x.activations.as(), x.tokens, nullptr, x.tokens};
      threads.parallel_for(view.rows, 16, [&](size_t begin, size_t end, int thread) {
        kernels.bit_plane_gemm(view, begin, end, panels, nullptr, x.products.data(), threads.scratch(thread));
      });
    }
  }
}

// Bytes per nanosecond.
static double speed(size_t bytes, const std::function<void()>& body) {
  const auto start = std::chrono::steady_clock::now();
  body();
  return static_cast<double>(bytes) / std::chrono::duration<double, std::nano>(std::chrono::steady_clock::now() - start).count();
}

struct Quartiles {
  double low, median, high;
};

static Quartiles quartiles(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const size_t last = values.size() - 1;
  return {values[last / 4], values[last / 2], values[last - last / 4]};
}

struct Result {
  Quartiles read, gemv, ratio;
};

static Result measure(const Matrices& m, const Kernels& kernels, ThreadPool& threads, const Options& o, int activation_bits) {
  Vectors x(m.first, kernels, static_cast<size_t>(o.tokens), activation_bits);
  threads.reserve_scratch(kernels.bit_plane_gemm_scratch);
  std::vector<double> read, gemv, ratio;
  uint64_t sum = 0;
  for (int i = 0; i <= o.repetitions; i++) {  // the first is to warm up
    const double r = speed(m.bytes(), [&] { sum += linear_read(m.pool, m.bytes(), threads); });
    const double g = speed(m.bytes(), [&] { multiply_all(m, kernels, threads, x); });
    if (i > 0) read.push_back(r), gemv.push_back(g), ratio.push_back(g / r);
  }
  if (sum == 1) std::printf(" ");  // keeps the sum
  return {quartiles(read), quartiles(gemv), quartiles(ratio)};
}

int main(int argc, char** argv) {
  const Options o = parse_options(argc, argv);
  const Kernels* kernels = find_kernels(o.isa);
  if (kernels == nullptr) return std::fprintf(stderr, "this machine or this build has no %s\n", o.isa.c_str()), 2;
  if (o.tokens > MAX_GEMV_TOKENS && kernels->bit_plane_gemm == nullptr) {
    return std::fprintf(stderr, "%s has no integer product for more than %d tokens\n", kernels->name, MAX_GEMV_TOKENS), 2;
  }
  const size_t pool_bytes = o.pool_mib << 20;
  Buffer pool(pool_bytes + 4096);
  if (o.huge_pages) prefer_huge_pages(pool.as(), pool_bytes);
  for (size_t i = 0; i < pool_bytes / 8; i++) pool.as<uint64_t>()[i] = generator();

  if (!o.json) std::printf("%s, %d token%s, %zu MiB\n", kernels->name, o.tokens, o.tokens == 1 ? "" : "s", o.pool_mib);
  if (!o.json) std::printf("%-12s bits  x  threads  read GB/s  gemv GB/s  ratio (quartiles)\n", "shape");
  const char* separator = "[\n";
  for (const Shape& shape : o.shapes) {
    for (const int bits : o.bits) {
      const size_t words = (shape.cols + 31) / 32;
      const size_t stride = shape.rows * words * static_cast<size_t>(std::max(o.planes, bits));
      const Tables tables = random_tables(shape.rows, bits);
      const Matrices matrices = {pool.as<uint32_t>(), pool_bytes / (stride * 4), stride,
                                 {nullptr, shape.rows, shape.cols, words, bits, tables.lut.data(), tables.bytes.data(), tables.scales.data()}};
      if (matrices.count == 0) return std::fprintf(stderr, "a matrix is larger than the pool\n"), 2;
      for (const int activation_bits : o.activation_bits) {
        if (o.tokens > MAX_GEMV_TOKENS && activation_bits != 8) continue;
        for (const int thread_count : o.threads) {
          ThreadPool threads(thread_count);
          const Result r = measure(matrices, *kernels, threads, o, activation_bits);
          if (o.json) {
            std::printf("%s{\"isa\": \"%s\", \"rows\": %zu, \"cols\": %zu, \"bits\": %d, \"activationBits\": %d, \"tokens\": %d, "
                        "\"threads\": %d, \"readGBs\": %.2f, \"gemvGBs\": %.2f, \"ratio\": %.4f, \"ratioLow\": %.4f, \"ratioHigh\": %.4f}",
                        separator, kernels->name, shape.rows, shape.cols, bits, activation_bits, o.tokens, thread_count, r.read.median,
                        r.gemv.median, r.ratio.median, r.ratio.low, r.ratio.high);
            separator = ",\n";
          } else {
            const std::string name = std::to_string(shape.rows) + "x" + std::to_string(shape.cols);
            std::printf("%-12s %4d %2d %8d %10.1f %10.1f  %.3f (%.3f - %.3f)\n", name.c_str(), bits, activation_bits, thread_count,
                        r.read.median, r.gemv.median, r.ratio.median, r.ratio.low, r.ratio.high);
          }
          std::fflush(stdout);
        }
      }
    }
  }
  if (o.json) std::printf("\n]\n");
  return 0;
}
