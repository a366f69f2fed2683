#pragma once
// Instructions that CUDA C++ has no function for, each with a version in C++ for the host (native/simt).
#include <cuda_fp16.h>
#include <cuda_runtime.h>

#include <cstdint>

namespace dpllm {

// Fragments of the matrix instructions D = A B + D of one warp, m16n8 with 8 words of 32 bits in the third dimension (a word
// holds 4 int8, 2 f16 or 1 tf32). Lane l has, with g = l / 4 and t = l % 4,
//   a[0], a[2]   of row g of A the words t and t + 4;  a[1], a[3]: the same of row g + 8
//   b[0], b[1]   of column g of B the words t and t + 4
//   d[0], d[1]   of row g of D the columns 2 t and 2 t + 1;  d[2], d[3]: the same of row g + 8

#ifdef __CUDACC__

// Every byte of the result is one of the 8 of {b, a} (a's are 0 .. 3), by a nibble of the selector; one whose bit 3 is set
// gives the byte's sign eight times.
__device__ __forceinline__ uint32_t prmt(uint32_t a, uint32_t b, uint32_t selector) {
  uint32_t result;
  asm("prmt.b32 %0, %1, %2, %3;" : "=r"(result) : "r"(a), "r"(b), "r"(selector));
  return result;
}

// mask ? a : b, by bits. As assembly: expressions in C are merged into more instructions than were there.
__device__ __forceinline__ uint32_t choose(uint32_t a, uint32_t b, uint32_t mask) {
  uint32_t result;
  asm("lop3.b32 %0, %1, %2, %3, 0xe4;" : "=r"(result) : "r"(a), "r"(b), "r"(mask));
  return result;
}

// Of memory that does not change while the kernel runs and is read once. Volatile: requests keep their order.
__device__ __forceinline__ uint4 load_once(const uint4* from) {
  uint4 v;
  asm volatile("ld.global.nc.L1::no_allocate.v4.u32 {%0,%1,%2,%3}, [%4];"
               : "=r"(v.x), "=r"(v.y), "=r"(v.z), "=r"(v.w) : "l"(from));
  return v;
}

__device__ __forceinline__ void multiply_int8(int (&d)[4], const uint32_t (&a)[4], uint32_t b0, uint32_t b1) {
  int r0, r1, r2, r3;  // not d itself, so that the first of a sum takes zero from no register
  asm("mma.sync.aligned.m16n8k32.row.col.s32.s8.s8.s32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%10,%11,%12,%13};"
      : "=r"(r0), "=r"(r1), "=r"(r2), "=r"(r3)
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1), "r"(d[0]), "r"(d[1]), "r"(d[2]), "r"(d[3]));
  d[0] = r0, d[1] = r1, d[2] = r2, d[3] = r3;
}

__device__ __forceinline__ void multiply_f16(float (&d)[4], const uint32_t (&a)[4], uint32_t b0, uint32_t b1) {
  asm("mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
      : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
}

__device__ __forceinline__ void multiply_tf32(float (&d)[4], const uint32_t (&a)[4], uint32_t b0, uint32_t b1) {
  asm("mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
      : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
}

#else

inline uint32_t prmt(uint32_t a, uint32_t b, uint32_t selector) {
  const uint64_t bytes = static_cast<uint64_t>(b) << 32 | a;
  uint32_t result = 0;
  for (int i = 0; i < 4; i++) {
    const uint32_t nibble = selector >> 4 * i & 15, byte = bytes >> 8 * (nibble & 7) & 255;
    result |= (nibble < 8 ? byte : byte >= 128 ? 255u : 0u) << 8 * i;
  }
  return result;
}

inline uint32_t choose(uint32_t a, uint32_t b, uint32_t mask) { return (a & mask) | (b & ~mask); }

inline uint4 load_once(const uint4* from) { return *from; }

// What one lane gives to a product, as numbers: `N` of every word.
template <class T, int N>
struct HostFragments {
  T a[4][N], b[2][N];
};

template <class T, int N, class Sum>
inline void host_multiply(Sum (&d)[4], const HostFragments<T, N>& mine) {
  const unsigned lane = simt::place.lane;
  const unsigned char* all = simt::exchange(&mine, sizeof mine);
  const auto of = [&](unsigned l) { return reinterpret_cast<const HostFragments<T, N>*>(all + l * simt::EXCHANGE_BYTES); };
  for (unsigned i = 0; i < 4; i++) {
    const unsigned row = lane / 4, column = lane % 4 * 2 + i % 2;
    using Exact = std::conditional_t<std::is_integral_v<Sum>, int64_t, double>;
    Exact sum = static_cast<Exact>(d[i]);
    for (unsigned word = 0; word < 8; word++) {
      const T* a = of(row * 4 + word % 4)->a[i / 2 + word / 4 * 2];
      const T* b = of(column * 4 + word % 4)->b[word / 4];
      for (int n = 0; n < N; n++) sum += static_cast<Exact>(a[n]) * b[n];
    }
    d[i] = static_cast<Sum>(sum);
  }
  simt::wait_for_warp();  // all have read what all have given
}

template <class T, int N, class Take>
inline HostFragments<T, N> host_fragments(const uint32_t (&a)[4], uint32_t b0, uint32_t b1, Take take) {
  HostFragments<T, N> result;
  for (int n = 0; n < N; n++) {
    for (int i = 0; i < 4; i++) result.a[i][n] = take(a[i], n);
    result.b[0][n] = take(b0, n), result.b[1][n] = take(b1, n);
  }
  return result;
}

inline void multiply_int8(int (&d)[4], const uint32_t (&a)[4], uint32_t b0, uint32_t b1) {
  host_multiply(d, host_fragments<int8_t, 4>(a, b0, b1, [](uint32_t v, int n) { return static_cast<int8_t>(v >> 8 * n); }));
}
inline void multiply_f16(float (&d)[4], const uint32_t (&a)[4], uint32_t b0, uint32_t b1) {
  const auto take = [](uint32_t v, int n) { return __half2float(__half{static_cast<uint16_t>(v >> 16 * n)}); };
  host_multiply(d, host_fragments<float, 2>(a, b0, b1, take));
}
// As the hardware does, without the 13 last bits of an f32.
inline void multiply_tf32(float (&d)[4], const uint32_t (&a)[4], uint32_t b0, uint32_t b1) {
  host_multiply(d, host_fragments<float, 1>(a, b0, b1, [](uint32_t v, int) { return __uint_as_float(v & ~0x1fffu); }));
}

#endif

}  // namespace dpllm
