// The bit-plane matrix-vector product where the activations are larger than a first-level cache holds beside the lines of planes
// on their way: some rows meet a panel of them, then the next. A row's sums go on where the panel before left them, so that
// every block is added in the same order, and no bit of the result depends on the panels.

constexpr size_t PANEL_ROWS = 16;                         // sums of so many rows are kept
constexpr size_t WHOLE_BYTES = 24576;                     // activations up to half of a first-level cache are no panels
constexpr size_t PANEL_BYTES = 12288;                     // a quarter of one,
constexpr size_t MIN_PANEL_BLOCKS = 4096 / BLOCK_COLS;    // but runs of 512 bytes of each plane: shorter ones memory gives slowly

// Panels, of about the same size, that a row of `blocks` blocks is taken in.
ALWAYS_INLINE size_t panels_of(size_t blocks, size_t activation_bytes_of_block) {
  if (blocks * activation_bytes_of_block <= WHOLE_BYTES) return 1;
  const size_t fitting = PANEL_BYTES / activation_bytes_of_block;
  const size_t most = fitting < MIN_PANEL_BLOCKS ? MIN_PANEL_BLOCKS : fitting;
  return (blocks + most - 1) / most;
}

// A block's place in the order in which rows begin .. end - 1 are read: a panel of PANEL_ROWS rows, their other panels, the next
// rows; then whatever follows the last row.
struct PanelOrder {
  size_t end, blocks, panels;
  size_t first_row, panel, row, block;
  size_t end_row, end_block;  // of this panel

  ALWAYS_INLINE PanelOrder(size_t begin, size_t end, size_t blocks, size_t panels) : end(end), blocks(blocks), panels(panels) {
    enter(begin, 0);
  }

  ALWAYS_INLINE void enter(size_t at_row, size_t at_panel) {
    first_row = row = at_row;
    panel = at_panel;
    block = first_block(panel);
    end_block = first_block(panel + 1);
    end_row = row < end && end - row < PANEL_ROWS ? end : row + PANEL_ROWS;
  }

  ALWAYS_INLINE size_t first_block(size_t p) const { return blocks * p / panels; }

  ALWAYS_INLINE void next() {
    if (++block < end_block) return;
    block = first_block(panel);
    if (++row < end_row) return;
    if (panel + 1 < panels) enter(first_row, panel + 1);
    else enter(end_row, 0);
  }
};

// Not inlined: its registers are its own.
template <int BITS, int ACTIVATION_BITS, int TOKENS>
__attribute__((noinline)) void gemv_panels(const BitPlaneView& w, size_t begin, size_t end, size_t panels, const ActivationBlock<ACTIVATION_BITS>* const* blocks,
                 const float* bias, float* const* out) {
  const size_t plane_bytes = w.rows * w.words * sizeof(uint32_t);
  PanelOrder ahead(begin, end, (w.words + BLOCK_WORDS - 1) / BLOCK_WORDS, panels);
  for (size_t i = 0; i < prefetch_bytes(BITS) / VECTOR_BYTES; i++) ahead.next();
  for (size_t group = begin; group < end; group += PANEL_ROWS) {
    const size_t rows = end - group < PANEL_ROWS ? end - group : PANEL_ROWS;
    vf sums[PANEL_ROWS][TOKENS] = {};
    for (size_t panel = 0; panel < panels; panel++) {
      for (size_t r = 0; r < rows; r++) {
        vf row_sums[TOKENS];  // in registers
        for (int t = 0; t < TOKENS; t++) row_sums[t] = sums[r][t];
        add_blocks<BITS, ACTIVATION_BITS, TOKENS>(w, group + r, ahead.first_block(panel), ahead.first_block(panel + 1), blocks, row_sums, [&](size_t) {
          const char* line = (const char*)(w.planes + ahead.row * w.words + BLOCK_WORDS * ahead.block);
          for (int p = 0; p < BITS; p++) __builtin_prefetch(line + p * (plane_bytes + prefetch_skew(BITS)));
          ahead.next();
        });
        for (int t = 0; t < TOKENS; t++) sums[r][t] = row_sums[t];
      }
    }
    for (size_t r = 0; r < rows; r++) finish_row<TOKENS>(w, group + r, sums[r], bias, out);
  }
}
