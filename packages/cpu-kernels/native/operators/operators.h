#pragma once
#include "program/step.h"

namespace dpllm {

// One function per operator, in a file of its name.
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

// Elements of simple arithmetic below which waking a second thread costs more than it saves (a few microseconds).
constexpr size_t PARALLEL_ELEMENTS = 32768;

// Rows of `width` elements that make one piece of a parallel loop.
inline size_t grain_of(size_t width) { return width >= PARALLEL_ELEMENTS ? 1 : PARALLEL_ELEMENTS / (width == 0 ? 1 : width); }

}  // namespace dpllm
