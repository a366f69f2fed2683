#pragma once
// The built-in parts of CUDA C++ that kernels use. Warp functions take the full mask only.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>

#include "simt/grid.h"

#define __global__
#define __device__
#define __host__
#define __forceinline__ inline
#define __restrict__ __restrict
#define __launch_bounds__(...)
#define __grid_constant__
#define __align__(n) alignas(n)
// One block runs at a time, so that one copy is right. As on a GPU, it holds anything at first.
#define __shared__ static

#define threadIdx (simt::place.thread)
#define blockIdx (simt::place.block)
#define blockDim (simt::place.block_dim)
#define gridDim (simt::place.grid_dim)

struct alignas(8) uint2 { unsigned x, y; };
struct alignas(16) uint4 { unsigned x, y, z, w; };
struct alignas(8) float2 { float x, y; };
struct alignas(16) float4 { float x, y, z, w; };
inline uint2 make_uint2(unsigned x, unsigned y) { return {x, y}; }
inline uint4 make_uint4(unsigned x, unsigned y, unsigned z, unsigned w) { return {x, y, z, w}; }
inline float2 make_float2(float x, float y) { return {x, y}; }
inline float4 make_float4(float x, float y, float z, float w) { return {x, y, z, w}; }

inline void __syncthreads() { simt::wait_for_block(); }
inline void __syncwarp(unsigned = ~0u) { simt::wait_for_warp(); }
inline void __threadfence() {}

namespace simt {
// What `from` says which lane's value this lane gets; its own where that lane is none of the warp's.
template <class T>
T shuffle(const T& value, unsigned from) {
  static_assert(sizeof(T) <= EXCHANGE_BYTES, "too large to exchange");
  const unsigned lanes = live_lanes();
  const unsigned char* values = exchange(&value, sizeof(T));
  T result = value;
  if (from < lanes) std::memcpy(&result, values + from * EXCHANGE_BYTES, sizeof(T));
  return result;
}
}  // namespace simt

template <class T>
T __shfl_sync(unsigned, T value, int lane) { return simt::shuffle(value, static_cast<unsigned>(lane) % simt::WARP); }
template <class T>
T __shfl_xor_sync(unsigned, T value, int mask) { return simt::shuffle(value, simt::place.lane ^ static_cast<unsigned>(mask)); }
template <class T>
T __shfl_down_sync(unsigned, T value, unsigned delta) { return simt::shuffle(value, simt::place.lane + delta); }
inline unsigned __ballot_sync(unsigned, int predicate) {
  const unsigned lanes = simt::live_lanes();
  const unsigned char value = predicate != 0;
  const unsigned char* values = simt::exchange(&value, 1);
  unsigned result = 0;
  for (unsigned lane = 0; lane < lanes; lane++) result |= static_cast<unsigned>(values[lane * simt::EXCHANGE_BYTES]) << lane;
  return result;
}
inline int __any_sync(unsigned mask, int predicate) { return __ballot_sync(mask, predicate) != 0; }

template <class T>
T __ldg(const T* p) { return *p; }
template <class T>
T atomicAdd(T* p, T value) {
  const T old = *p;
  *p = old + value;
  return old;
}
inline int __popc(unsigned v) { return __builtin_popcount(v); }
inline int __ffs(int v) { return __builtin_ffs(v); }
inline float rsqrtf(float x) { return 1.0f / std::sqrt(x); }
inline void sincosf(float x, float* sin, float* cos) { *sin = std::sin(x), *cos = std::cos(x); }
inline float __uint_as_float(unsigned bits) {
  float value;
  std::memcpy(&value, &bits, 4);
  return value;
}
inline unsigned __float_as_uint(float value) {
  unsigned bits;
  std::memcpy(&bits, &value, 4);
  return bits;
}
using std::max;
using std::min;
