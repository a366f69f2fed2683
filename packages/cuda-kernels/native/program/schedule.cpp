#include "program/schedule.h"

#include <algorithm>
#include <set>

#include "program/operands.h"

namespace dpllm {
namespace {

class Scheduler {
 public:
  Scheduler(const Program& program, const Plan& plan, const Estimators* estimators, bool fork)
      : program_(program), plan_(plan), estimators_(estimators), fork_(fork), readers_(program.values.size()) {
    for (const int index : plan.operators) {
      for_each_operand(op(index), [&](int value) { if (value != NONE) readers_[value].push_back(index); }, [](int) {});
    }
  }

  Schedule run() {
    Launch fixed = {Launch::Kind::fixed_selects, {}};
    for (const int index : plan_.operators) {
      if (is_fixed_select(index)) fixed.operators.push_back(index);
    }
    if (!fixed.operators.empty()) launches().push_back(fixed);
    for (const int index : plan_.operators) place(index);
    if (std::any_of(launches().begin(), launches().end(), [](const Launch& launch) { return launch.side; })) order_streams();
    return std::move(schedule_);
  }

 private:
  std::vector<Launch>& launches() { return schedule_.launches; }
  const Operator& op(int index) const { return program_.operators[index]; }
  template <class Op>
  const Op* as(int index) const { return std::get_if<Op>(&op(index)); }
  // The operator of the youngest launch of the step's own stream, if that is one alone; `place` is the launch.
  template <class Op>
  const Op* as_alone(size_t place) const {
    const Launch& launch = schedule_.launches[place];
    return launch.kind == Launch::Kind::one ? as<Op>(launch.operators[0]) : nullptr;
  }

  bool is_output(int value) const {
    return std::find(plan_.outputs.begin(), plan_.outputs.end(), value) != plan_.outputs.end();
  }
  // Whether nothing but operators for which `test` holds reads the value.
  template <class Test>
  bool only_read_by(int value, Test&& test) const {
    return !is_output(value) && !readers_[value].empty() && std::all_of(readers_[value].begin(), readers_[value].end(), test);
  }

  bool is_fixed_select(int index) const {
    const Select* select = as<Select>(index);
    if (select == nullptr || is_output(select->estimate) || !readers_[select->estimate].empty()) return false;
    return estimators_ == nullptr || estimators_->of_select[select->index].kind == Estimator::Kind::none;
  }
  bool runs_beside(int index) const {
    if (!fork_) return false;
    const auto is_select = [&](int reader) { return as<Select>(reader) != nullptr; };
    if (const Select* select = as<Select>(index)) return only_read_by(select->x, is_select) && is_side_norm(select->x);
    const RmsNorm* norm = as<RmsNorm>(index);
    return norm != nullptr && only_read_by(norm->out, is_select);
  }
  bool is_side_norm(int value) const {
    return std::any_of(plan_.operators.begin(), plan_.operators.end(), [&](int index) {
      const RmsNorm* norm = as<RmsNorm>(index);
      return norm != nullptr && norm->out == value;
    });
  }

  void place(int index) {
    if (is_fixed_select(index)) return;
    const auto fixed = [&](int reader) { return is_fixed_select(reader); };
    const RmsNorm* norm = as<RmsNorm>(index);
    if (norm != nullptr && only_read_by(norm->out, fixed)) return;
    if (const Select* select = as<Select>(index)) return place_select(index, *select);
    if (norm != nullptr && runs_beside(index)) {
      schedule_.side_values.push_back(norm->out);
      launches().push_back({Launch::Kind::one, {index}, true});
      return;
    }
    if (norm != nullptr && join_add(index, *norm)) return;
    if (const Attention* attention = as<Attention>(index); attention != nullptr && join_ropes(index, *attention)) return;
    launches().push_back({Launch::Kind::one, {index}});
  }

  static bool is_sum(const Estimator& e) { return e.kind == Estimator::Kind::linear || e.kind == Estimator::Kind::probe; }

  // With the first select that reads the same value, if both look at it alone.
  void place_select(int index, const Select& select) {
    const bool sum = estimators_ != nullptr && is_sum(estimators_->of_select[select.index]);
    for (Launch& launch : launches()) {
      if (sum && launch.kind == Launch::Kind::selects && as<Select>(launch.operators[0])->x == select.x) {
        launch.operators.push_back(index);
        return;
      }
    }
    launches().push_back({sum ? Launch::Kind::selects : Launch::Kind::one, {index}, runs_beside(index)});
  }

  // A norm behind the add that it reads: one launch in the norm's place.
  bool join_add(int index, const RmsNorm& norm) {
    const Value& x = program_.values[norm.x];
    if (program_.weights[norm.weight].cols() != x.width) return false;
    for (size_t i = launches().size(); i-- > 0;) {
      if (touches(launches()[i], norm.x)) {
        const Add* add = as_alone<Add>(i);
        if (add == nullptr || add->out != norm.x) return false;
        const int sum = launches()[i].operators[0];
        launches().erase(launches().begin() + static_cast<std::ptrdiff_t>(i));
        launches().push_back({Launch::Kind::add_rms_norm, {sum, index}});
        return true;
      }
      if (!launches()[i].side) return false;
    }
    return false;
  }
  bool touches(const Launch& launch, int value) const {
    bool found = false;
    const auto compare = [&](int operand) { found = found || operand == value; };
    for (const int index : launch.operators) for_each_operand(op(index), compare, compare);
    return found;
  }

  // Attention behind the ropes of its q and k, where nothing else reads the rotated k: it need not be anywhere but in the cache.
  bool join_ropes(int index, const Attention& attention) {
    if (launches().size() < 2 || readers_[attention.k].size() != 1 || is_output(attention.k)) return false;
    const size_t place = launches().size() - 2;
    const Rope *q = as_alone<Rope>(place), *k = as_alone<Rope>(place + 1);
    if (q == nullptr || k == nullptr || q->out != attention.q || k->out != attention.k || q->transposed || k->transposed)
      return false;
    if (q->frequencies != k->frequencies || q->scale != k->scale || q->head_dim != k->head_dim) return false;
    const std::vector<int> operators = {launches()[place].operators[0], launches()[place + 1].operators[0], index};
    launches().resize(place);
    launches().push_back({Launch::Kind::rope_attention, operators});
    return true;
  }

  // Values of one slot are one place; what has none, or memory beside, is a place of its own.
  int place_of(int value) const {
    const auto& beside = schedule_.side_values;
    const bool own = plan_.slot_of[value] == NONE || std::find(beside.begin(), beside.end(), value) != beside.end();
    return own ? static_cast<int>(plan_.slots.size()) + value : plan_.slot_of[value];
  }

  // Makes a launch wait for the youngest one of the other stream that wrote what it reads, or read or wrote what it writes.
  void order_streams() {
    struct Use {
      int write = NONE, read = NONE;
    };
    std::vector<Use> uses[2];
    for (auto& of_stream : uses) of_stream.resize(plan_.slots.size() + program_.values.size());
    int seen[2] = {NONE, NONE};  // by stream: the youngest launch of the other one that it has waited for
    schedule_.events = 1;
    for (int i = 0; i < static_cast<int>(launches().size()); i++) {
      Launch& launch = launches()[i];
      std::vector<Use>&mine = uses[launch.side], &others = uses[!launch.side];
      int needed = NONE;
      std::vector<int> reads, writes;
      for (const int index : launch.operators) {
        for_each_operand(op(index), [&](int v) { if (v != NONE) reads.push_back(place_of(v)); },
                         [&](int v) { if (v != NONE) writes.push_back(place_of(v)); });
      }
      for (const int place : reads) needed = std::max(needed, others[place].write);
      for (const int place : writes) needed = std::max({needed, others[place].write, others[place].read});
      for (const int place : reads) mine[place].read = i;
      for (const int place : writes) mine[place].write = i;
      if (needed > seen[launch.side]) {
        launch.wait_for = needed;
        seen[launch.side] = needed;
        record_behind(needed);
      }
      if (launch.side) schedule_.join = i;
    }
    if (seen[0] >= schedule_.join) schedule_.join = NONE;
    else record_behind(schedule_.join);
  }
  void record_behind(int launch) {
    if (launches()[launch].event == NONE) launches()[launch].event = schedule_.events++;
  }

  const Program& program_;
  const Plan& plan_;
  const Estimators* estimators_;
  const bool fork_;
  std::vector<std::vector<int>> readers_;  // by value
  Schedule schedule_;
};

}  // namespace

Schedule make_schedule(const Program& program, const Plan& plan, const Estimators* estimators, bool fork) {
  return Scheduler(program, plan, estimators, fork).run();
}

}  // namespace dpllm
