#include "program/step.h"

#include <chrono>

#include "operators/operators.h"
#include "threads/huge_pages.h"

namespace dpllm {

// Gives every value of the plan its place: inputs and outputs in the caller's arrays, the others in the arena.
static void place_values(Execution& e, const Plan& plan) {
  std::vector<void*>& address = e.workspace.address;
  address.assign(e.program.values.size(), nullptr);
  size_t bytes = 0;
  const auto slot_bytes = [&](const Plan::Slot& slot) { return (e.count(slot.axis, 1) * slot.row_bytes + 63) / 64 * 64; };
  for (const Plan::Slot& slot : plan.slots) bytes += slot_bytes(slot);
  if (bytes > e.workspace.arena.size()) {
    e.workspace.arena.reserve(bytes);
    prefer_huge_pages(e.workspace.arena.as(), bytes);
  }
  std::vector<void*>& slots = e.workspace.slots;
  slots.clear();
  size_t offset = 0;
  for (const Plan::Slot& slot : plan.slots) {
    slots.push_back(e.workspace.arena.as(offset));
    offset += slot_bytes(slot);
  }
  for (size_t value = 0; value < address.size(); value++) {
    if (plan.slot_of[value] != NONE) address[value] = slots[plan.slot_of[value]];
  }
  for (const auto& [value, data] : e.step.placed) address[value] = data;
}

// Adds the milliseconds of its life to a sum, if there is one.
class Timer {
 public:
  explicit Timer(double* sum) : sum_(sum) {
    if (sum_ != nullptr) begin_ = Clock::now();
  }
  ~Timer() {
    if (sum_ != nullptr) *sum_ += std::chrono::duration<double, std::milli>(Clock::now() - begin_).count();
  }
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;

 private:
  using Clock = std::chrono::steady_clock;
  double* sum_;
  Clock::time_point begin_;
};

void run_step(Execution& e, const Plan& plan, const std::atomic<bool>& cancelled) {
  place_values(e, plan);
  e.workspace.quantized.value = NONE;
  e.workspace.quantized_panels.value = NONE;
  e.workspace.packed.value = NONE;
  e.workspace.packed_columns.value = NONE;
  for (RopeTable& table : e.workspace.ropes) table.made = false;
  for (const int index : plan.operators) {
    if (cancelled.load(std::memory_order_relaxed)) return;
    const Timer timer(e.program.times == nullptr ? nullptr : e.program.times + index);
    std::visit([&](const auto& op) { run(op, e); }, e.program.operators[index]);
  }
}

}  // namespace dpllm
