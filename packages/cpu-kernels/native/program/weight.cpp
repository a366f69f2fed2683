#include "program/program.h"

namespace dpllm {

void derive(Weight& weight, const Kernels& kernels) {
  for (std::unique_ptr<FixedPointTables>& tables : weight.tables) tables.reset();
  if (!weight.widened.empty()) kernels.widen(weight.type, weight.data, weight.widened.data(), weight.widened.size());
}

}  // namespace dpllm
