#include "device/launch.h"
#include "kernels/float_types.cuh"
#include "kernels/reduce.cuh"
#include "operators/product.h"

namespace dpllm {

// Version 1: one warp for each element of the result.
template <class T>
__global__ void dense_product_kernel(const T* w, size_t N, size_t K, const float* x, Dense bias, float* out) {
  const size_t n = blockIdx.y * PRODUCT_WARPS + threadIdx.x / WARP_LANES, t = blockIdx.x;
  if (n >= N) return;
  float sum = 0.0f;
  for (size_t k = threadIdx.x % WARP_LANES; k < K; k += WARP_LANES) sum += to_float(w[n * K + k]) * x[t * K + k];
  sum = warp_sum(sum);
  if (threadIdx.x % WARP_LANES == 0) out[t * N + n] = bias.data == nullptr ? sum : sum + load_float(bias.data, bias.type, n);
}

void plain_product(const Dense& w, const float* x, size_t rows, const Dense& bias, float* out, cudaStream_t stream) {
  with_type(w.type, [&](auto* type) {
    using T = std::remove_pointer_t<decltype(type)>;
    launch("dense_product", dense_product_kernel<T>, product_grid(rows, w.rows), PRODUCT_WARPS * WARP_LANES, 0, stream,
           static_cast<const T*>(w.data), w.rows, w.cols, x, bias, out);
  });
}

// One thread for each element of the result.
template <class T>
__global__ void dense_transposed_kernel(const T* w, size_t N, size_t K, const float* dy, float* out) {
  const size_t k = blockIdx.y * blockDim.x + threadIdx.x, t = blockIdx.x;
  if (k >= K) return;
  float sum = 0.0f;
  for (size_t n = 0; n < N; n++) sum += to_float(w[n * K + k]) * dy[t * N + n];
  out[t * K + k] = sum;
}

void plain_transposed_product(const Dense& w, const float* dy, size_t rows, float* out, cudaStream_t stream) {
  constexpr unsigned threads = 128;
  with_type(w.type, [&](auto* type) {
    using T = std::remove_pointer_t<decltype(type)>;
    launch("dense_transposed", dense_transposed_kernel<T>, dim3(static_cast<unsigned>(rows), blocks_for(w.cols, threads)),
           threads, 0, stream, static_cast<const T*>(w.data), w.rows, w.cols, dy, out);
  });
}

}  // namespace dpllm
