#include "operators/packed_rows.h"

#include <algorithm>

namespace dpllm {

// More than any instruction set's panel.
static constexpr size_t MAX_PANEL = 64;

const float* pack_rows(Execution& e, const ProductRows& rows, bool bit_planes) {
  Prepared& packed = e.workspace.packed;
  const size_t width = e.width(rows.value), places = places_of(width, bit_planes);
  const size_t panel = e.kernels.panel, panels = (rows.count + panel - 1) / panel;
  const bool whole = rows.tokens == nullptr || rows.count == e.rows(rows.value);
  if (whole && packed.value == rows.value && packed.stride == places * 2 + bit_planes) return packed.buffer.as<float>();
  packed.buffer.reserve(panels * places * panel * sizeof(float));
  float* out = packed.buffer.as<float>();
  const float* x = e.f32(rows.value);
  const size_t tiles = (width + TILE_COLS - 1) / TILE_COLS;
  e.pool.parallel_for(panels * tiles, 1, [&](size_t begin, size_t end, int) {
    const float* row[MAX_PANEL];
    for (size_t i = begin; i < end; i++) {
      const size_t first_row = i / tiles * panel, first = i % tiles * TILE_COLS;
      const size_t count = std::min(panel, rows.count - first_row);
      for (size_t r = 0; r < count; r++) row[r] = x + rows.row(first_row + r) * width;
      e.kernels.pack_panel(row, static_cast<int>(count), first, std::min(TILE_COLS, width - first), bit_planes,
                           out + (i / tiles * places + first) * panel);
    }
  });
  packed.value = whole ? rows.value : NONE;
  packed.stride = places * 2 + bit_planes;
  return out;
}

}  // namespace dpllm
