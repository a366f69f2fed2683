#pragma once
// What a step launches: the operators of its plan, some of them together, on two streams.
#include <cstddef>
#include <vector>

#include "program/estimators.h"
#include "program/program.h"

namespace dpllm {

struct Launch {
  enum class Kind {
    one,
    fixed_selects,   // selects that look at nothing: all of a step at its beginning
    selects,         // selects that read the same value
    add_rms_norm,    // add, rmsNorm of the sum
    rope_attention,  // rope of q, rope of k, attention
  } kind;
  std::vector<int> operators;  // indices into Program::operators
  bool side = false;           // on the stream beside the step's own
  int wait_for = NONE;         // launch of the other stream that has to be done before
  int event = NONE;            // number of the event that is recorded behind it
};

// Selects that read what only selects read (asynchronous estimation, DP-LLM §5.2: an earlier point of the residual stream
// under a norm of their own) run beside the step, with that norm, while its products do. They wait for what they read and
// hold up only what reads their bits. Their values have memory of their own, as the plan's slots are laid out for one order.
struct Schedule {
  std::vector<Launch> launches;
  std::vector<int> side_values;
  int events = 0;     // event 0 is the step's beginning
  int join = NONE;    // side launch that the step's end has to wait for
};

// `fork`: whether anything may run beside. Norms that only fixed selects read are left out.
Schedule make_schedule(const Program& program, const Plan& plan, const Estimators* estimators, bool fork);

}  // namespace dpllm
