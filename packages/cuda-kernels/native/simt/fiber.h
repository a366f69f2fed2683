#pragma once
// Call stacks that take turns on one thread of the system: each thread of a simulated block runs on one.
#include <cstddef>
#include <memory>

namespace simt {

class Fiber {
 public:
  using Entry = void (*)();

  Fiber();
  ~Fiber();
  Fiber(const Fiber&) = delete;
  Fiber& operator=(const Fiber&) = delete;

  // The next resume() calls `entry` on this fiber's stack; what was there before is forgotten. `entry` must not return.
  void prepare(Entry entry);
  // Runs the fiber until it suspends itself. Not from within a fiber.
  void resume();
  // Goes back to where the running fiber was resumed.
  static void suspend();

 private:
  struct Context;
  std::unique_ptr<char[]> stack_;
  std::unique_ptr<Context> context_;
};

}  // namespace simt
