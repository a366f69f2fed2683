#pragma once
#include "program/step.h"

namespace dpllm {

// Where everything of this step goes, whose schedule is made. The same for steps of as many tokens and rows and the same
// estimators.
Layout lay_out(const Execution& e);

// Gives every value of the plan its address in the arena, which is large enough.
void place_values(Execution& e);

}  // namespace dpllm
