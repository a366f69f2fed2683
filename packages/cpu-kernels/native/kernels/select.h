#pragma once
#include <string>
#include <vector>

#include "kernels/kernels.h"

namespace dpllm {

// Instruction sets of this build that this machine has, best first; "generic" is always the last.
std::vector<const Kernels*> available_kernels();

// The named one, or the best one for "auto"; null if this machine or this build lacks it.
const Kernels* find_kernels(const std::string& name);

}  // namespace dpllm
