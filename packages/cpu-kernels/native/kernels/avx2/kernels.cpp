// AVX2 with FMA and F16C (Intel Haswell, AMD Excavator and later).
#include "kernels/kernels.h"

#include <immintrin.h>

namespace dpllm {
namespace {

#define VECTOR_BYTES 32
constexpr int TILE_ROWS = 6;  // times 2 vectors of sums: 12 of 16 registers

#include "kernels/shared/vector.inl"

ALWAYS_INLINE vf load_f16(const uint16_t* p) { return (vf)_mm256_cvtph_ps(_mm_loadu_si128((const __m128i*)p)); }
ALWAYS_INLINE void store_f16(uint16_t* p, vf v) {
  _mm_storeu_si128((__m128i*)p, _mm256_cvtps_ph((__m256)v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
}
ALWAYS_INLINE vw select_bits(vw mask, vw a, vw b) { return b ^ ((a ^ b) & mask); }
ALWAYS_INLINE vw load_words(const uint32_t* p) { return (vw)_mm256_loadu_si256((const __m256i*)p); }
ALWAYS_INLINE vw load_words_part(const uint32_t* p, size_t n) {
  const __m256i lanes = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
  return (vw)_mm256_maskload_epi32((const int*)p, _mm256_cmpgt_epi32(_mm256_set1_epi32((int)n), lanes));
}

#include "kernels/shared/butterfly.inl"
#include "kernels/shared/convert.inl"
#include "kernels/avx2/tile.inl"
#include "kernels/shared/elementwise.inl"
#include "kernels/shared/elementwise_gradient.inl"
#include "kernels/shared/dense.inl"
#include "kernels/shared/quantize.inl"
#include "kernels/shared/tile.inl"
#include "kernels/shared/weight_gradient.inl"
#include "kernels/shared/attention.inl"
#include "kernels/shared/attention_queries.inl"
#include "kernels/shared/softmax_gradient.inl"
#include "kernels/avx2/gemv.inl"
#include "kernels/shared/integer_gemv.inl"
#include "kernels/shared/no_gemm.inl"

}  // namespace

#define DPLLM_KERNELS avx2_kernels
#define DPLLM_KERNELS_NAME "avx2"
#include "kernels/shared/table.inl"

}  // namespace dpllm
