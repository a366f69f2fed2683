#include "simt/fiber.h"

#include <cstdint>

#if !defined(__x86_64__)
#include <ucontext.h>
#endif

namespace simt {

// Of a simulated thread; kernels keep what is large in shared memory.
static constexpr size_t STACK_BYTES = 64 * 1024;

#if defined(__x86_64__)

struct Fiber::Context {
  void* stack_pointer;
};

// Saves the registers that a call preserves on the stack that is left, and takes those of the one that is entered.
extern "C" void dpllm_simt_switch(void** save, void* load);
asm(R"(
.text
.local dpllm_simt_switch
dpllm_simt_switch:
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp, (%rdi)
  movq %rsi, %rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  ret
)");

static void* resumed_from;
static void** running;

void Fiber::prepare(Entry entry) {
  const auto top = reinterpret_cast<uintptr_t>(stack_.get() + STACK_BYTES) & ~uintptr_t{15};
  void** return_address = reinterpret_cast<void**>(top - 16);  // so that the stack is aligned as after a call
  *return_address = reinterpret_cast<void*>(entry);
  context_->stack_pointer = return_address - 6;  // below it, the six registers
}

void Fiber::resume() {
  running = &context_->stack_pointer;
  dpllm_simt_switch(&resumed_from, context_->stack_pointer);
}

void Fiber::suspend() { dpllm_simt_switch(running, resumed_from); }

#else  // portable, some times slower

struct Fiber::Context {
  ucontext_t registers;
};

static ucontext_t resumed_from;
static ucontext_t* running;

void Fiber::prepare(Entry entry) {
  ucontext_t& registers = context_->registers;
  getcontext(&registers);
  registers.uc_stack.ss_sp = stack_.get();
  registers.uc_stack.ss_size = STACK_BYTES;
  registers.uc_link = &resumed_from;
  makecontext(&registers, entry, 0);
}

void Fiber::resume() {
  running = &context_->registers;
  swapcontext(&resumed_from, running);
}

void Fiber::suspend() { swapcontext(running, &resumed_from); }

#endif

Fiber::Fiber() : stack_(new char[STACK_BYTES]), context_(new Context) {}
Fiber::~Fiber() = default;

}  // namespace simt
