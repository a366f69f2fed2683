#pragma once
#include <variant>

#include "program/operator.h"

namespace dpllm {

// Calls read(value) and write(value) for the values that an operator reads and writes, NONE for those that it lacks.
// Caches and accumulators are no values.
template <class Read, class Write>
struct OperandVisitor {
  Read read;
  Write write;

  void operator()(const Embed& op) const { read(op.tokens), write(op.out); }
  void operator()(const RmsNorm& op) const { read(op.x), write(op.out); }
  void operator()(const Linear& op) const { read(op.x), read(op.bits), write(op.out); }
  void operator()(const Select& op) const { read(op.x), write(op.bits), write(op.estimate); }
  void operator()(const Rope& op) const { read(op.x), write(op.out); }
  void operator()(const Attention& op) const { read(op.q), read(op.k), read(op.v), write(op.out); }
  void operator()(const Gate& op) const { read(op.gate), read(op.up), write(op.out); }
  void operator()(const Add& op) const { read(op.a), read(op.b), write(op.out); }
  void operator()(const Split& op) const {
    read(op.x);
    for (const int out : op.outs) write(out);
  }
  void operator()(const Take& op) const { read(op.x), read(op.rows), write(op.out); }
  void operator()(const CrossEntropy& op) const { read(op.logits), read(op.targets), write(op.out); }

  void operator()(const LinearTransposed& op) const { read(op.dy), read(op.bits), write(op.out); }
  void operator()(const RmsNormGradient& op) const { read(op.x), read(op.dy), write(op.out); }
  void operator()(const AttentionGradient& op) const {
    read(op.q), read(op.k), read(op.v), read(op.dy), write(op.dq), write(op.dk), write(op.dv);
  }
  void operator()(const GateGradient& op) const { read(op.gate), read(op.up), read(op.dy), write(op.d_gate), write(op.d_up); }
  void operator()(const Concat& op) const {
    for (const int x : op.xs) read(x);
    write(op.out);
  }
  void operator()(const Put& op) const { read(op.x), read(op.rows), write(op.out); }
  void operator()(const CrossEntropyGradient& op) const { read(op.logits), read(op.targets), write(op.out); }
  void operator()(const KlDivergence& op) const { read(op.logits), read(op.teacher), write(op.out); }
  void operator()(const KlDivergenceGradient& op) const { read(op.logits), read(op.teacher), write(op.out); }
  void operator()(const Accumulate& op) const { read(op.x), read(op.dy); }
  void operator()(const AccumulateTables& op) const { read(op.x), read(op.dy), read(op.bits); }
  void operator()(const MixedLinear& op) const { read(op.x), read(op.average_bits), write(op.out); }
  void operator()(const MixedLinearTransposed& op) const { read(op.dy), read(op.average_bits), write(op.out); }
  void operator()(const BitsGradient& op) const { read(op.x), read(op.dy), read(op.average_bits), write(op.out); }
  void operator()(const TokenErrors& op) const { read(op.x), read(op.dy), write(op.out); }
};

template <class Read, class Write>
void for_each_operand(const Operator& op, Read read, Write write) {
  std::visit(OperandVisitor<Read, Write>{read, write}, op);
}

}  // namespace dpllm
