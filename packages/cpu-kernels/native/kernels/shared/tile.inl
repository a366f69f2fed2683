// The tiled product: tiles of weight rows times packed panels of tokens, vectors along the tokens.
// Each instruction set gives TILE_ROWS, the rows of weights that its registers hold sums for, and
// bit_plane_column(k, words): the column, within a block of `words` words of 32, that stands at place k of a tile.

constexpr size_t PANEL_VECTORS = 2;
constexpr size_t PANEL = PANEL_VECTORS * LANES;

template <int ROWS, int VECTORS>
void multiply_rows(const float* w, size_t row_stride, size_t k_stride, const float* x, size_t k_count, float* c) {
  vf sums[ROWS][VECTORS];
  for (int r = 0; r < ROWS; r++) {
    for (int v = 0; v < VECTORS; v++) sums[r][v] = load(c + r * PANEL + v * LANES);
  }
  for (size_t k = 0; k < k_count; k++, x += PANEL, w += k_stride) {
    vf columns[VECTORS];
    for (int v = 0; v < VECTORS; v++) columns[v] = load(x + v * LANES);
#pragma GCC unroll 16
    for (int r = 0; r < ROWS; r++) {
      const float weight = w[r * row_stride];
      for (int v = 0; v < VECTORS; v++) sums[r][v] += columns[v] * weight;
    }
  }
  for (int r = 0; r < ROWS; r++) {
    for (int v = 0; v < VECTORS; v++) store(c + r * PANEL + v * LANES, sums[r][v]);
  }
}

template <int VECTORS>
void multiply_tile_of(const float* w, size_t rows, size_t row_stride, size_t k_stride, const float* x, size_t k_count, float* c) {
  size_t row = 0;
  for (; row + TILE_ROWS <= rows; row += TILE_ROWS) {
    multiply_rows<TILE_ROWS, VECTORS>(w + row * row_stride, row_stride, k_stride, x, k_count, c + row * PANEL);
  }
  for (; row + 4 <= rows; row += 4) {
    multiply_rows<4, VECTORS>(w + row * row_stride, row_stride, k_stride, x, k_count, c + row * PANEL);
  }
  for (; row < rows; row++) {
    multiply_rows<1, VECTORS>(w + row * row_stride, row_stride, k_stride, x, k_count, c + row * PANEL);
  }
}

void multiply_tile(const float* w, size_t rows, size_t row_stride, size_t k_stride, const float* x, size_t k_count,
                   int tokens, float* c) {
  if ((size_t)tokens <= LANES) multiply_tile_of<1>(w, rows, row_stride, k_stride, x, k_count, c);
  else multiply_tile_of<PANEL_VECTORS>(w, rows, row_stride, k_stride, x, k_count, c);
}

// column_of[k] is the column of a tile that stands at place k; returns how many places there are.
ALWAYS_INLINE size_t tile_columns(size_t cols, bool bit_planes, uint16_t* column_of) {
  const size_t places = bit_planes ? (cols + 31) / 32 * 32 : cols;
  for (size_t k = 0; k < places; k++) {
    if (!bit_planes) {
      column_of[k] = (uint16_t)k;
      continue;
    }
    const size_t block = k / (32 * BLOCK_WORDS);
    const size_t words = places / 32 - block * BLOCK_WORDS < BLOCK_WORDS ? places / 32 - block * BLOCK_WORDS : BLOCK_WORDS;
    column_of[k] = (uint16_t)(block * 32 * BLOCK_WORDS + bit_plane_column(k % (32 * BLOCK_WORDS), words));
  }
  return places;
}

void pack_panel(const float* const* x, int tokens, size_t first, size_t cols, bool bit_planes, float* out) {
  uint16_t column_of[TILE_COLS];
  const size_t places = tile_columns(cols, bit_planes, column_of);
  for (size_t k = 0; k < places; k++) {
    const size_t column = column_of[k];
    float* line = out + k * PANEL;
    for (int t = 0; t < tokens; t++) line[t] = column < cols ? x[t][first + column] : 0.0f;
    for (size_t t = tokens; t < PANEL; t++) line[t] = 0.0f;
  }
}

void unpack_panel(const float* sums, int tokens, size_t first, size_t cols, bool bit_planes, float* const* out) {
  uint16_t column_of[TILE_COLS];
  const size_t places = tile_columns(cols, bit_planes, column_of);
  for (int t = 0; t < tokens; t++) {
    for (size_t k = 0; k < places; k++) {
      if (column_of[k] < cols) out[t][first + column_of[k]] = sums[k * PANEL + t];
    }
  }
}
