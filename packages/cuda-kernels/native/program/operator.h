#pragma once
// Operators: indices of values, weights and accumulators; the meanings are those of core's program/operators.ts and
// program/gradient-operators.ts.
#include <cstddef>
#include <variant>
#include <vector>

#include "kernels/types.h"

namespace dpllm {

// In place of the index of an operand that an operator does not have.
constexpr int NONE = -1;

struct Embed { int tokens, table, out; };
struct RmsNorm { int x, weight; float eps; int out; };
struct Linear { int x, weight, bias, bits, out; };
struct Select { int x, weight, bits, estimate, index; };
struct Rope { int x, frequencies; size_t head_dim; float scale; bool transposed; int out; };
struct Attention { int q, k, v, layer; size_t heads, kv_heads, head_dim; float scale; size_t window; int out; };
struct Gate { int gate, up; Activation activation; int out; };
struct Add { int a, b, out; };
struct Split { int x; std::vector<int> outs; };
struct Take { int x, rows, out; };
struct CrossEntropy { int logits, targets, out; };

struct LinearTransposed { int dy, weight, bits, out; };
struct RmsNormGradient { int x, dy, weight; float eps; int out; };
struct AttentionGradient { int q, k, v, dy; size_t heads, kv_heads, head_dim; float scale; size_t window; int dq, dk, dv; };
struct GateGradient { int gate, up, dy; Activation activation; int d_gate, d_up; };
struct Concat { std::vector<int> xs; int out; };
struct Put { int x, rows, out; };
struct CrossEntropyGradient { int logits, targets; float scale; int out; };
struct KlDivergence { int logits, teacher, out; };
struct KlDivergenceGradient { int logits, teacher; float scale; int out; };
struct Accumulate { int x, dy; bool squares; int into; };
struct AccumulateTables { int x, dy, weight, bits, into; };
struct MixedLinear { int x, weight, bias, average_bits, out; };
struct MixedLinearTransposed { int dy, weight, average_bits, out; };
struct BitsGradient { int x, dy, weight, average_bits, out; };
struct TokenErrors { int x, dy, weight, low, high, out; };

using Operator = std::variant<Embed, RmsNorm, Linear, Select, Rope, Attention, Gate, Add, Split, Take, CrossEntropy,
                              LinearTransposed, RmsNormGradient, AttentionGradient, GateGradient, Concat, Put,
                              CrossEntropyGradient, KlDivergence, KlDivergenceGradient, Accumulate, AccumulateTables,
                              MixedLinear, MixedLinearTransposed, BitsGradient, TokenErrors>;

}  // namespace dpllm
