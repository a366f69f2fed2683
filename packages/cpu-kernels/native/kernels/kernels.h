#pragma once
// The inner loops, one implementation per instruction set behind one table of function pointers.
// This header is included by translation units that are compiled for different instruction sets, so it holds plain
// declarations only: no inline function may end up compiled for a machine that lacks the instructions.
#include <cstddef>
#include <cstdint>

namespace dpllm {

enum class FloatType : int32_t { f32 = 0, f16 = 1, bf16 = 2 };
enum class Activation : int32_t { silu = 0, gelu = 1, gelu_tanh = 2 };

// Tokens that a bit-plane or dense matrix-vector kernel takes at once; more go to the tiled product.
constexpr int MAX_GEMV_TOKENS = 4;

// Bit counts up to which centroids that meet 8-bit activations have low bytes of 0, so that kernels may leave these out: their
// rounding is then still small beside that of the activations.
constexpr int BYTE_CENTROID_BITS = 4;

// Columns of one tile of a tiled product: a whole number of bit-plane blocks on every instruction set.
constexpr size_t TILE_COLS = 512;

// Rows of one tile of a weight's gradient.
constexpr size_t GRADIENT_ROWS = 48;

// A bit-plane matrix [rows, cols] read at `bits` bits, in the canonical layout: u32 [planes, rows, words], plane 0 the
// most significant bit, bit i of word w is column 32 w + i.
struct BitPlaneView {
  const uint32_t* planes;
  size_t rows, cols, words;  // words per row = ceil(cols / 32)
  int bits;                  // 1..8
  const uint16_t* lut;       // f16 [rows, 2^bits]
  const uint8_t* tables;     // u8 [rows, 2, 2^bits], see fixed_point.h; null where only tiles are made
  const float* scales;       // f32 [rows], value = scale * (256 * high + low - 32768)
};

// Integer activations of a value's rows: columns TILE_COLS * i … of row t at data + (i * rows + t) * the bytes of TILE_COLS
// activations. Of the rows tokens[0], tokens[1] … or, where it is null, all take part.
struct ActivationPanels {
  const uint8_t* data;
  size_t rows;
  const uint32_t* tokens;
  size_t count;
};

struct DenseView {
  const void* data;  // [rows, cols]
  FloatType type;
  size_t rows, cols;
};

// One panel of query columns against `count` keys of one key/value head.
struct AttentionBlock {
  const float* keys;     // [count, head_dim]
  const float* values;   // [count, head_dim]
  size_t count;          // at most ATTENTION_KEYS
  size_t head_dim;
  int32_t first_key;     // position of keys[0]
  int columns;           // queries in use
};
constexpr size_t ATTENTION_KEYS = 128;

// The same as they are cached.
struct AttentionKeys {
  const void *keys, *values;  // [count, head_dim]
  FloatType type;
  size_t count;               // 1 to ATTENTION_KEYS
  size_t head_dim;
};

// Running softmax of a panel of `stride` columns (Milakov and Gimelshein 2018): out = sum / total in the end.
struct AttentionState {
  const float* queries;  // packed [head_dim, stride], already times the scale
  const int32_t* first;  // [stride], first and last position that a column sees
  const int32_t* last;
  float* max;            // [stride]
  float* total;          // [stride]
  float* sum;            // [head_dim, stride]
  float* scores;         // scratch [ATTENTION_KEYS, stride]
};

// Of one softmax for each query: first and last key that it sees, largest score, 1 / sum of exp(score - largest), and the
// mean by the softmax of its weights' gradients.
struct SoftmaxState {
  const int32_t *first, *last;
  float *max, *inverse_total, *mean;
};

struct Kernels {
  const char* name;

  // Columns (tokens) of a panel of the tiled product, and of attention. A multiple of the vector width.
  size_t panel;

  // --- element by element -----------------------------------------------------------------------------------------
  void (*widen)(FloatType type, const void* x, float* out, size_t n);
  void (*narrow_f16)(const float* x, uint16_t* out, size_t n);
  void (*add)(const float* a, const float* b, float* out, size_t n);
  void (*gate)(Activation activation, const float* gate, const float* up, float* out, size_t n);
  void (*rms_norm)(const float* x, const float* weight, float eps, float* out, size_t n);
  // One token: heads of head_dim, the first 2 * pairs values of each are rotated.
  void (*rope)(const float* x, const float* cos, const float* sin, size_t pairs, size_t head_dim, size_t heads, float* out);
  float (*max)(const float* x, size_t n);
  // Sum of exp(x - max), added up in double.
  double (*sum_exp)(const float* x, float max, size_t n);
  // out = factor * exp(x - max)
  void (*scaled_exp)(const float* x, float max, float factor, float* out, size_t n);

  // --- their derivatives --------------------------------------------------------------------------------------------
  // d_gate = dy * up * activation'(gate) and d_up = dy * activation(gate); either may be null.
  void (*gate_gradient)(Activation activation, const float* gate, const float* up, const float* dy, float* d_gate, float* d_up,
                        size_t n);
  void (*rms_norm_gradient)(const float* x, const float* dy, const float* weight, float eps, float* out, size_t n);

  // --- matrix times 1 .. MAX_GEMV_TOKENS vectors ----------------------------------------------------------------------
  // out[t][row] = w[row] . x[t] + bias[row] for rows begin .. end - 1; bias may be null.
  void (*dense_gemv)(const DenseView& w, size_t begin, size_t end, const float* const* x, int tokens, const float* bias,
                     float* const* out);
  // Activations as this instruction set's bit-plane kernel reads them: 8- or 16-bit integers, a scale per 32 columns.
  size_t (*activation_bytes)(size_t cols, int activation_bits);
  void (*quantize_activations)(const float* x, size_t cols, int activation_bits, uint8_t* out);
  void (*bit_plane_gemv)(const BitPlaneView& w, size_t begin, size_t end, const uint8_t* const* activations, int tokens,
                         int activation_bits, const float* bias, float* const* out);

  // For many tokens with 8-bit activations: out[t][row] for the panels' tokens t, out [panels' rows, w.rows]; bit for bit what
  // bit_plane_gemv gives. Null where tiles of f32 are as fast. Scratch memory on a cache line's boundary.
  void (*bit_plane_gemm)(const BitPlaneView& w, size_t begin, size_t end, const ActivationPanels& x, const float* bias, float* out,
                         uint8_t* scratch);
  size_t bit_plane_gemm_scratch;  // bytes

  // --- tiled product ------------------------------------------------------------------------------------------------
  // Tiles hold columns [first, first + cols) of a matrix, first a multiple of TILE_COLS and cols <= TILE_COLS.
  // Bit-plane tiles and the panels that they meet have the same order of columns, the one that is cheapest to make,
  // and end at a multiple of 32 columns, filled up with zeros.
  // out[k, c] = x[c][column k], 0 for c >= tokens; out is [tile columns, panel].
  void (*pack_panel)(const float* const* x, int tokens, size_t first, size_t cols, bool bit_planes, float* out);
  // Row `row` of a tile, f32 [tile columns].
  void (*bit_plane_tile_row)(const BitPlaneView& w, size_t row, size_t first, size_t cols, float* out);
  // c[row, col] += sum over k of w[row * row_stride + k * k_stride] * x[k, col]; c [rows, panel], x [k_count, panel]
  // of which the first `tokens` columns matter.
  void (*multiply_tile)(const float* w, size_t rows, size_t row_stride, size_t k_stride, const float* x, size_t k_count,
                        int tokens, float* c);

  // The inverse of pack_panel for a transposed product: out[c][first + column k] = sums[k, c] for c < tokens.
  void (*unpack_panel)(const float* sums, int tokens, size_t first, size_t cols, bool bit_planes, float* const* out);

  // --- gradients of weights: tiles f32 [rows, cols], stored as panels [cols / panel, GRADIENT_ROWS, panel] ---------------
  // out[row * stride + col] += tile[row, col], or its square.
  void (*accumulate_tile)(const float* tile, size_t rows, size_t cols, bool squares, float* out, size_t stride);
  // table[code of column first + col] += tile[row, col] for one row; w is read at w.bits bits, `tile` begins at that row.
  void (*accumulate_codes)(const BitPlaneView& w, size_t row, size_t first, size_t cols, const float* tile, float* table);

  // --- attention ----------------------------------------------------------------------------------------------------
  void (*attention_block)(const AttentionBlock& block, const AttentionState& state);
  // The same for `count` queries [count, head_dim] (already times the scale) of one key/value head that see all keys of the
  // block: max and total [count], sums [count, head_dim], scores scratch [4, ATTENTION_KEYS].
  void (*attention_queries)(const AttentionKeys& block, int count, const float* queries, float* max, float* total, float* sums,
                            float* scores);
  // Gradient of a softmax S = exp(scores) / total whose weights have the gradients `dots`: S * (dots - mean of dots by S).
  // For a panel of query columns over all keys that they see: scores and dots [count, panel]; the gradient replaces the
  // scores, and what the other direction needs is left in `state`.
  void (*softmax_gradient_columns)(float* scores, const float* dots, size_t count, int32_t first_key, const SoftmaxState& state);
  // For rows of queries over a panel of keys [rows, panel]: the softmax replaces the scores, the gradient the dots.
  void (*softmax_gradient_rows)(float* scores, float* dots, size_t rows, int32_t first_key, const SoftmaxState& state);
};

// Tables of the instruction sets that this build holds.
extern const Kernels generic_kernels;
#if defined(DPLLM_X86)
extern const Kernels avx2_kernels;
extern const Kernels avx512_kernels;
#endif
#if defined(DPLLM_NEON)
extern const Kernels neon_kernels;
#endif

}  // namespace dpllm
