#include <cmath>

#include "operators/operators.h"

namespace dpllm {

// The table of one frequencies vector, made once per step: heads, q and k, and all layers share it. Angles are taken in
// double, since position * frequency exceeds what f32 resolves.
static const RopeTable& rope_table(const Rope& op, Execution& e) {
  std::vector<RopeTable>& tables = e.workspace.ropes;
  RopeTable* table = nullptr;
  for (RopeTable& t : tables) {
    if (t.frequencies == op.frequencies && t.scale == op.scale && t.transposed == op.transposed) table = &t;
  }
  if (table == nullptr) table = &tables.emplace_back(RopeTable{op.frequencies, op.scale, op.transposed, {}, {}, false});
  if (table->made) return *table;

  const std::vector<float>& frequencies = e.program.weights[op.frequencies].widened;
  const size_t pairs = frequencies.size(), tokens = e.step.token_count;
  table->cos.reserve(tokens * pairs * sizeof(float));
  table->sin.reserve(tokens * pairs * sizeof(float));
  float *cos = table->cos.as<float>(), *sin = table->sin.as<float>();
  e.pool.parallel_for(tokens, grain_of(32 * pairs), [&](size_t begin, size_t end, int) {
    for (size_t t = begin; t < end; t++) {
      for (size_t i = 0; i < pairs; i++) {
        const double angle = static_cast<double>(e.step.position + t) * frequencies[i];
        cos[t * pairs + i] = static_cast<float>(std::cos(angle) * op.scale);
        sin[t * pairs + i] = static_cast<float>(std::sin(op.transposed ? -angle : angle) * op.scale);
      }
    }
  });
  table->made = true;
  return *table;
}

void run(const Rope& op, Execution& e) {
  const RopeTable& table = rope_table(op, e);
  const size_t pairs = e.program.weights[op.frequencies].widened.size(), width = e.width(op.x);
  const float *x = e.f32(op.x), *cos = table.cos.as<float>(), *sin = table.sin.as<float>();
  float* out = e.f32(op.out);
  e.pool.parallel_for(e.rows(op.x), grain_of(width), [&](size_t begin, size_t end, int) {
    for (size_t t = begin; t < end; t++) {
      e.kernels.rope(x + t * width, cos + t * pairs, sin + t * pairs, pairs, op.head_dim, width / op.head_dim, out + t * width);
    }
  });
}

}  // namespace dpllm
