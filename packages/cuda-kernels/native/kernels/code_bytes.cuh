#pragma once
// From the words of tiled planes to codes, one byte each.
#include "kernels/tiled_planes.cuh"

namespace dpllm {

// Towards the most significant bit for S > 0.
template <int S>
__device__ __forceinline__ uint32_t shifted(uint32_t v) {
  return S >= 0 ? v << (S & 31) : v >> (-S & 31);
}

// The indices of the columns 4 q + R of one row: byte j of `even` is of q = 2 j, of `odd` of q = 2 j + 1. An index has the
// 3-bit code in bits 0 .. 2 and plane p, inverted, in bit p: code_of_index() undoes it.
template <int BITS, int R>
__device__ __forceinline__ void index_bytes(const uint32_t (&p)[BITS], uint32_t& even, uint32_t& odd) {
  uint32_t n = cells<R>(p[0], p[1], p[2]);
  if constexpr (BITS >= 4) n = choose(n, shifted<3 - R>(p[3]), 0x77777777u);
  even = n, odd = n >> 4;
  if constexpr (BITS >= 5) {
    even = choose(even, shifted<4 - R>(p[4]), 0x0f0f0f0fu);
    odd = choose(odd, shifted<-R>(p[4]), 0x0f0f0f0fu);
  }
  if constexpr (BITS >= 6) {
    even = choose(even, shifted<5 - R>(p[5]), 0x1f1f1f1fu);
    odd = choose(odd, shifted<1 - R>(p[5]), 0x1f1f1f1fu);
  }
  if constexpr (BITS >= 7) {
    even = choose(even, shifted<6 - R>(p[6]), 0x3f3f3f3fu);
    odd = choose(odd, shifted<2 - R>(p[6]), 0x3f3f3f3fu);
  }
  if constexpr (BITS >= 8) {
    even = choose(even, shifted<7 - R>(p[7]), 0x7f7f7f7fu);
    odd = choose(odd, shifted<3 - R>(p[7]), 0x7f7f7f7fu);
  } else {
    constexpr uint32_t mask = ((1u << BITS) - 1) * 0x01010101u;
    even &= mask, odd &= mask;
  }
}

__device__ __forceinline__ unsigned code_of_index(unsigned index, int bits) {
  unsigned code = (index & 7) << (bits - 3);
  for (int plane = 3; plane < bits; plane++) code |= (~index >> plane & 1) << (bits - 1 - plane);
  return code;
}

}  // namespace dpllm
