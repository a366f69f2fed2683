#pragma once
#include "program/step.h"

namespace dpllm {

// One function per operator, in a file of its name. They put kernels into the step's stream and wait for nothing.
void run(const Embed& op, Execution& e);
void run(const RmsNorm& op, Execution& e);
void run(const Linear& op, Execution& e);
void run(const Select& op, Execution& e);
void run(const Rope& op, Execution& e);
void run(const Attention& op, Execution& e);
void run(const Gate& op, Execution& e);
void run(const Add& op, Execution& e);
void run(const Split& op, Execution& e);
void run(const Take& op, Execution& e);
void run(const CrossEntropy& op, Execution& e);

void run(const LinearTransposed& op, Execution& e);
void run(const RmsNormGradient& op, Execution& e);
void run(const AttentionGradient& op, Execution& e);
void run(const GateGradient& op, Execution& e);
void run(const Concat& op, Execution& e);
void run(const Put& op, Execution& e);
void run(const CrossEntropyGradient& op, Execution& e);
void run(const KlDivergence& op, Execution& e);
void run(const KlDivergenceGradient& op, Execution& e);
void run(const Accumulate& op, Execution& e);
void run(const AccumulateTables& op, Execution& e);
void run(const MixedLinear& op, Execution& e);
void run(const MixedLinearTransposed& op, Execution& e);
void run(const BitsGradient& op, Execution& e);
void run(const TokenErrors& op, Execution& e);

// Several as one (Launch::Kind).
void run_fixed_selects(const std::vector<int>& selects, Execution& e);
void run_selects(const std::vector<int>& selects, Execution& e);
void run_add_rms_norm(const Add& add, const RmsNorm& norm, Execution& e);
void run_rope_attention(const Rope& q, const Rope& k, const Attention& attention, Execution& e);

// Bytes that an operator needs while it runs, at Execution::scratch().
template <class Op>
size_t scratch_bytes(const Op&, const Execution&) { return 0; }
size_t scratch_bytes(const Linear& op, const Execution& e);
size_t scratch_bytes(const Select& op, const Execution& e);
size_t scratch_bytes(const Attention& op, const Execution& e);
size_t scratch_bytes(const AttentionGradient& op, const Execution& e);
size_t scratch_bytes(const BitsGradient& op, const Execution& e);
size_t scratch_bytes(const TokenErrors& op, const Execution& e);

// Counters of Layout::counters that it uses.
template <class Op>
size_t counters_needed(const Op&, const Execution&) { return 0; }
size_t counters_needed(const Attention& op, const Execution& e);

// Threads of a block where nothing asks for another number.
constexpr unsigned BLOCK = 256;

}  // namespace dpllm
