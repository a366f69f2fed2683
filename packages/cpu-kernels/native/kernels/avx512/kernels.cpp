// AVX-512 with F, BW, VL, DQ, VBMI and VNNI (Intel Ice Lake, AMD Zen 4 and later).
#include "kernels/kernels.h"

#include <immintrin.h>

namespace dpllm {
namespace {

#define VECTOR_BYTES 64
constexpr int TILE_ROWS = 12;  // times 2 vectors of sums: 24 of 32 registers

#include "kernels/shared/vector.inl"

ALWAYS_INLINE vf load_f16(const uint16_t* p) { return (vf)_mm512_cvtph_ps(_mm256_loadu_si256((const __m256i*)p)); }
ALWAYS_INLINE void store_f16(uint16_t* p, vf v) {
  _mm256_storeu_si256((__m256i*)p, _mm512_cvtps_ph((__m512)v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
}

ALWAYS_INLINE vw load_words(const uint32_t* p) {
  __m512i words = _mm512_loadu_si512(p);
  asm("" : "+v"(words));  // loaded once, not by each instruction that uses it
  return (vw)words;
}
ALWAYS_INLINE vw load_words_part(const uint32_t* p, size_t n) {
  return (vw)_mm512_maskz_loadu_epi32((__mmask16)((1u << n) - 1), p);
}
#define select_bits(mask, a, b) (vw)_mm512_ternarylogic_epi32((__m512i)(mask), (__m512i)(a), (__m512i)(b), 0xCA)

#include "kernels/shared/butterfly.inl"
#include "kernels/avx512/lookup.inl"
#include "kernels/avx512/tile.inl"
#include "kernels/shared/convert.inl"
#include "kernels/shared/elementwise.inl"
#include "kernels/shared/elementwise_gradient.inl"
#include "kernels/shared/dense.inl"
#include "kernels/shared/quantize.inl"
#include "kernels/shared/tile.inl"
#include "kernels/shared/weight_gradient.inl"
#include "kernels/shared/attention.inl"
#include "kernels/shared/attention_queries.inl"
#include "kernels/shared/softmax_gradient.inl"
#include "kernels/avx512/gemv.inl"
#include "kernels/shared/integer_gemv.inl"
#include "kernels/avx512/gemm.inl"

}  // namespace

#define DPLLM_KERNELS avx512_kernels
#define DPLLM_KERNELS_NAME "avx512"
#include "kernels/shared/table.inl"

}  // namespace dpllm
