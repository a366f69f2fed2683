#include "device/launch.h"
#include "device/properties.h"
#include "kernels/gemm_sources.cuh"
#include "kernels/reduce.cuh"
#include "operators/product.h"

namespace dpllm {
namespace {

// Rows up to which one block has all of them with half the sums.
constexpr size_t NARROW = HalfArithmetic<4>::ROWS;

template <class Arithmetic, class Source>
void start(const char* name, const Gemm& g, const Source& source, size_t table_bytes, cudaStream_t stream) {
  const size_t shared = gemm_stage_bytes<Arithmetic>() + table_bytes;
  allow_shared(gemm_kernel<Arithmetic, Source>, shared);
  const dim3 grid(blocks_for(g.rows, Arithmetic::ROWS), blocks_for(g.outputs, GEMM_OUTPUTS));
  launch(name, gemm_kernel<Arithmetic, Source>, grid, GEMM_THREADS, shared, stream, g, source);
}

int highest_bits(const BitPlanes& w, const Reading& reading) {
  const bool known = reading.kind == Reading::Kind::fixed || reading.kind == Reading::Kind::difference;
  return known ? reading.high_bits : w.max_bits;
}

// One block for each row of x: a power of two such that x / scale is below 2^15 and what is 2^-29 of that is no subnormal f16.
__global__ void row_scales_kernel(const float* x, size_t cols, float* scales) {
  float largest = 0.0f;
  for (size_t k = threadIdx.x; k < cols; k += blockDim.x) largest = fmaxf(largest, fabsf(x[blockIdx.x * cols + k]));
  largest = block_max(largest);
  if (threadIdx.x != 0) return;
  const int exponent = static_cast<int>(__float_as_uint(largest) >> 23);  // biased by 127; 255: not finite
  scales[blockIdx.x] = exponent == 255 ? 1.0f : __uint_as_float(static_cast<uint32_t>(max(exponent - 14, 1)) << 23);
}

}  // namespace

size_t half_product_scratch_bytes(size_t rows) { return rows * sizeof(float); }
size_t half_product_shared_bytes(int bits) { return gemm_stage_bytes<HalfArithmetic<4>>() + half_rows_table_bytes(bits); }

void half_product(const BitPlanes& w, const Reading& reading, const float* x, size_t rows, const Dense& bias, float* out,
                  void* scratch, cudaStream_t stream) {
  float* scales = static_cast<float*>(scratch);
  launch("row_scales", row_scales_kernel, static_cast<unsigned>(rows), 256, 0, stream, x, w.cols, scales);
  const Gemm g = {x, rows, w.rows, w.cols, bias, out, scales};
  const HalfPlaneRows source = {{w, reading}};
  const size_t table = half_rows_table_bytes(highest_bits(w, reading));
  const bool narrow = rows <= NARROW || gemm_stage_bytes<HalfArithmetic<8>>() + table > max_shared_bytes();
  if (narrow) start<HalfArithmetic<4>>("half_product", g, source, table, stream);
  else start<HalfArithmetic<8>>("half_product", g, source, table, stream);
}

size_t split_product_shared_bytes(int bits) { return gemm_stage_bytes<SplitArithmetic>() + plane_rows_table_bytes(bits); }

void split_product(const BitPlanes& w, const Reading& reading, const float* x, size_t rows, const Dense& bias, float* out,
                   cudaStream_t stream) {
  const Gemm g = {x, rows, w.rows, w.cols, bias, out, nullptr};
  start<SplitArithmetic>("split_product", g, PlaneRows{{w, reading}}, plane_rows_table_bytes(highest_bits(w, reading)), stream);
}

void split_transposed_product(const BitPlanes& w, const Reading& reading, const float* dy, size_t rows, float* out,
                              cudaStream_t stream) {
  const Gemm g = {dy, rows, w.cols, w.rows, {}, out, nullptr};
  start<SplitArithmetic>("split_transposed_product", g, PlaneColumns{{w, reading}}, 0, stream);
}

void split_product(const Dense& w, const float* x, size_t rows, const Dense& bias, float* out, cudaStream_t stream) {
  with_type(w.type, [&](auto* type) {
    using T = std::remove_pointer_t<decltype(type)>;
    const Gemm g = {x, rows, w.rows, w.cols, bias, out, nullptr};
    start<SplitArithmetic>("split_product", g, DenseSource<T, false>{static_cast<const T*>(w.data), w.rows, w.cols}, 0, stream);
  });
}

void split_transposed_product(const Dense& w, const float* dy, size_t rows, float* out, cudaStream_t stream) {
  with_type(w.type, [&](auto* type) {
    using T = std::remove_pointer_t<decltype(type)>;
    const Gemm g = {dy, rows, w.cols, w.rows, {}, out, nullptr};
    start<SplitArithmetic>("split_transposed_product", g, DenseSource<T, true>{static_cast<const T*>(w.data), w.cols, w.rows}, 0,
                           stream);
  });
}

}  // namespace dpllm
