#pragma once
#include "operators/product.h"

namespace dpllm {

// The rows as panels, f32 [panels, places, panel]: each is columns of a right-hand matrix, filled up with zeros. `places` is
// the value's width, or with `bit_planes`, in the order of tiles of those, the width filled up to whole words. Kept for the
// next product with the same rows and order.
const float* pack_rows(Execution& e, const ProductRows& rows, bool bit_planes);

// Places of `width` columns.
inline size_t places_of(size_t width, bool bit_planes) { return bit_planes ? (width + 31) / 32 * 32 : width; }

}  // namespace dpllm
