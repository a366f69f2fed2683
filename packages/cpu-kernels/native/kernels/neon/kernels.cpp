// NEON of 64-bit ARM (ARMv8.0; every aarch64 has it).
#include "kernels/kernels.h"

#include <arm_neon.h>

namespace dpllm {
namespace {

#define VECTOR_BYTES 16
constexpr int TILE_ROWS = 12;  // times 2 vectors of sums: 24 of 32 registers

#include "kernels/shared/vector.inl"

ALWAYS_INLINE vf load_f16(const uint16_t* p) { return (vf)vcvt_f32_f16(vreinterpret_f16_u16(vld1_u16(p))); }
ALWAYS_INLINE void store_f16(uint16_t* p, vf v) { vst1_u16(p, vreinterpret_u16_f16(vcvt_f16_f32((float32x4_t)v))); }
ALWAYS_INLINE vw select_bits(vw mask, vw a, vw b) { return (vw)vbslq_u16((uint16x8_t)mask, (uint16x8_t)a, (uint16x8_t)b); }
ALWAYS_INLINE vw load_words(const uint32_t* p) { return (vw)vld1q_u32(p); }
ALWAYS_INLINE vw load_words_part(const uint32_t* p, size_t n) {
  vw v = {};
  __builtin_memcpy(&v, p, n * sizeof *p);
  return v;
}

#include "kernels/shared/butterfly.inl"
#include "kernels/shared/convert.inl"
#include "kernels/neon/tile.inl"
#include "kernels/shared/elementwise.inl"
#include "kernels/shared/elementwise_gradient.inl"
#include "kernels/shared/dense.inl"
#include "kernels/shared/quantize.inl"
#include "kernels/shared/tile.inl"
#include "kernels/shared/weight_gradient.inl"
#include "kernels/shared/attention.inl"
#include "kernels/shared/attention_queries.inl"
#include "kernels/shared/softmax_gradient.inl"
#include "kernels/neon/gemv.inl"
#include "kernels/shared/integer_gemv.inl"
#include "kernels/shared/no_gemm.inl"

}  // namespace

#define DPLLM_KERNELS neon_kernels
#define DPLLM_KERNELS_NAME "neon"
#include "kernels/shared/table.inl"

}  // namespace dpllm
