#include "operators/product.h"

namespace dpllm {

void product(Execution& e, const ProductMatrix& w, const ProductRows& rows) {
  const bool integers = w.weight != nullptr && e.arithmetic == Arithmetic::fast && e.kernels.bit_plane_gemm != nullptr;
  if (rows.count == 0) return;
  if (rows.count <= MAX_GEMV_TOKENS) vector_product(e, w, rows);
  else if (integers) integer_product(e, w, rows);
  else tiled_product(e, w, rows);
}

}  // namespace dpllm
