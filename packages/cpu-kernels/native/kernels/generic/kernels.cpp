// Plain C++ for any machine, in vectors of 16 bytes (SSE2 on x86-64).
#include "kernels/kernels.h"

namespace dpllm {
namespace {

#define VECTOR_BYTES 16
constexpr int TILE_ROWS = 6;  // times 2 vectors of sums: 12 of 16 registers

#include "kernels/shared/vector.inl"

ALWAYS_INLINE vw select_bits(vw mask, vw a, vw b) { return b ^ ((a ^ b) & mask); }
ALWAYS_INLINE vw load_words(const uint32_t* p) {
  vw v;
  __builtin_memcpy(&v, p, sizeof v);
  return v;
}
ALWAYS_INLINE vw load_words_part(const uint32_t* p, size_t n) {
  vw v = {};
  __builtin_memcpy(&v, p, n * sizeof *p);
  return v;
}

#include "kernels/shared/butterfly.inl"
#include "kernels/generic/float16.inl"
#include "kernels/shared/convert.inl"
#include "kernels/shared/elementwise.inl"
#include "kernels/shared/elementwise_gradient.inl"
#include "kernels/shared/dense.inl"
#include "kernels/shared/quantize.inl"
#include "kernels/generic/bit_planes.inl"
#include "kernels/shared/tile.inl"
#include "kernels/shared/weight_gradient.inl"
#include "kernels/shared/attention.inl"
#include "kernels/shared/attention_queries.inl"
#include "kernels/shared/softmax_gradient.inl"
#include "kernels/shared/integer_gemv.inl"
#include "kernels/shared/no_gemm.inl"

}  // namespace

#define DPLLM_KERNELS generic_kernels
#define DPLLM_KERNELS_NAME "generic"
#include "kernels/shared/table.inl"

}  // namespace dpllm
