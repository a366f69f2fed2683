#include "program/layout.h"

#include <algorithm>

#include "operators/operators.h"

namespace dpllm {

Layout lay_out(const Execution& e) {
  Layout layout;
  size_t end = 0;
  const auto take = [&](size_t bytes) { return std::exchange(end, end + aligned(bytes)); };
  const size_t T = e.step.token_count, R = e.step.row_count, selects = e.program.selects;
  layout.parameters = take(sizeof(StepParameters));
  layout.tokens = take(T * sizeof(uint32_t));
  layout.rows = take(R * sizeof(uint32_t));
  layout.targets = take(R * sizeof(uint32_t));
  layout.thresholds = take(selects * THRESHOLDS * sizeof(float));
  for (const int value : e.program.inputs) layout.inputs.push_back(take(e.size(value) * sizeof(float)));
  layout.upload_bytes = end;
  size_t counters = 0;
  for (const int index : e.plan.operators)
    counters = std::max(counters, std::visit([&](const auto& op) { return counters_needed(op, e); }, e.program.operators[index]));
  layout.counters = take(counters * sizeof(uint32_t));
  layout.download = end;
  layout.bits = take(selects * T);
  layout.estimates = take(selects * T * sizeof(float));
  for (const int value : e.plan.outputs) layout.outputs.push_back(take(e.size(value) * sizeof(float)));
  layout.download_bytes = end - layout.download;
  for (const Plan::Slot& slot : e.plan.slots) layout.slots.push_back(take(e.count(slot.axis, 1) * slot.row_bytes));
  for (const int value : e.workspace.schedule.side_values) layout.side_values.push_back(take(e.size(value) * sizeof(float)));
  size_t scratch[2] = {0, 0};
  for (const Launch& launch : e.workspace.schedule.launches) {
    for (const int index : launch.operators) {
      const size_t bytes = std::visit([&](const auto& op) { return scratch_bytes(op, e); }, e.program.operators[index]);
      scratch[launch.side] = std::max(scratch[launch.side], bytes);
    }
  }
  layout.scratch = take(scratch[0]);
  layout.side_scratch = take(scratch[1]);
  layout.total = end;
  return layout;
}

void place_values(Execution& e) {
  const Layout& layout = e.workspace.layout;
  std::vector<void*>& address = e.workspace.address;
  address.assign(e.program.values.size(), nullptr);
  for (size_t value = 0; value < address.size(); value++) {
    if (e.plan.slot_of[value] != NONE) address[value] = e.at<void>(layout.slots[e.plan.slot_of[value]]);
  }
  const std::vector<int>& beside = e.workspace.schedule.side_values;
  for (size_t i = 0; i < beside.size(); i++) address[beside[i]] = e.at<void>(layout.side_values[i]);
  for (size_t i = 0; i < e.plan.outputs.size(); i++) address[e.plan.outputs[i]] = e.at<void>(layout.outputs[i]);
  for (size_t i = 0; i < e.program.inputs.size(); i++) address[e.program.inputs[i]] = e.at<void>(layout.inputs[i]);
  for (const int index : e.plan.operators) {
    const Operator& op = e.program.operators[index];
    const auto place = [&](int value, size_t offset) { address[value] = e.at<void>(offset); };
    if (const auto* embed = std::get_if<Embed>(&op)) place(embed->tokens, layout.tokens);
    if (const auto* take = std::get_if<Take>(&op)) place(take->rows, layout.rows);
    if (const auto* put = std::get_if<Put>(&op)) place(put->rows, layout.rows);
    if (const auto* loss = std::get_if<CrossEntropy>(&op)) place(loss->targets, layout.targets);
    if (const auto* loss = std::get_if<CrossEntropyGradient>(&op)) place(loss->targets, layout.targets);
    if (const auto* select = std::get_if<Select>(&op)) place(select->bits, layout.bits + select->index * e.step.token_count);
  }
}

}  // namespace dpllm
