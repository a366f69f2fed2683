// Which version of a product runs: by what is read and how many rows there are.
#include "operators/product.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <stdexcept>

#include "device/properties.h"
#include "kernels/prepared_rows.h"
#include "operators/few_rows_product.h"

namespace dpllm {
namespace {

enum class Version { plain, few_rows, half, split };

// DPLLM_CUDA_PRODUCT=plain: version 1 of every product; tensor, the default: the versions on tensor cores wherever they can.
bool tensor_cores() {
  const char* wanted = std::getenv("DPLLM_CUDA_PRODUCT");
  if (wanted == nullptr || *wanted == 0 || std::strcmp(wanted, "tensor") == 0) return true;
  if (std::strcmp(wanted, "plain") == 0) return false;
  throw std::invalid_argument(std::string("DPLLM_CUDA_PRODUCT: expected plain or tensor, found ") + wanted);
}

// Dense matrices with few rows are read once, whatever reads them.
bool split_dense(size_t rows) { return rows > MAX_FEW_ROWS && tensor_cores(); }

// Readings that are one bit count for each row are exact in f16; what is between two bit counts, or their difference, is for
// measurements and gradients, in f32.
Version version_of(const BitPlanes& w, const Reading& reading, size_t rows, bool scratch) {
  if (!tensor_cores()) return Version::plain;
  const bool pure = reading.kind == Reading::Kind::fixed || reading.kind == Reading::Kind::by_row;
  if (scratch && pure && w.tiled && w.seed_bits >= MIN_BITS) {
    if (rows <= MAX_FEW_ROWS) return Version::few_rows;
    if (half_product_shared_bytes(w.max_bits) <= max_shared_bytes()) return Version::half;
  }
  return split_product_shared_bytes(w.max_bits) <= max_shared_bytes() ? Version::split : Version::plain;
}

}  // namespace

size_t product_scratch_bytes(const BitPlanes& w, size_t rows) {
  switch (version_of(w, {}, rows, true)) {
    case Version::few_rows: return few_rows_scratch_bytes(rows, w.cols, w.row_tiles);
    case Version::half: return half_product_scratch_bytes(rows);
    default: return 0;
  }
}

void product(const BitPlanes& w, const Reading& reading, const float* x, size_t rows, const Dense& bias, float* out,
             void* scratch, cudaStream_t stream) {
  const FewRowsPart part = {w, reading, bias, out};
  switch (version_of(w, reading, rows, scratch != nullptr)) {
    case Version::few_rows: return few_rows_product(&part, 1, x, rows, scratch, stream);
    case Version::half: return half_product(w, reading, x, rows, bias, out, scratch, stream);
    case Version::split: return split_product(w, reading, x, rows, bias, out, stream);
    case Version::plain: return plain_product(w, reading, x, rows, bias, out, stream);
  }
}

void product(const BitPlanes& w, const Reading& reading, const float* x, size_t rows, const Dense& bias, float* out,
             cudaStream_t stream) {
  product(w, reading, x, rows, bias, out, nullptr, stream);
}

void transposed_product(const BitPlanes& w, const Reading& reading, const float* dy, size_t rows, float* out,
                        cudaStream_t stream) {
  if (tensor_cores()) split_transposed_product(w, reading, dy, rows, out, stream);
  else plain_transposed_product(w, reading, dy, rows, out, stream);
}

void product(const Dense& w, const float* x, size_t rows, const Dense& bias, float* out, cudaStream_t stream) {
  if (split_dense(rows)) split_product(w, x, rows, bias, out, stream);
  else plain_product(w, x, rows, bias, out, stream);
}

void transposed_product(const Dense& w, const float* dy, size_t rows, float* out, cudaStream_t stream) {
  if (tensor_cores()) split_transposed_product(w, dy, rows, out, stream);
  else plain_transposed_product(w, dy, rows, out, stream);
}

}  // namespace dpllm
