#include "simt/grid.h"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "simt/fiber.h"

namespace simt {

Place place;
unsigned char* dynamic_shared;

namespace {

enum class State { ready, at_warp, at_block, done };

struct Thread {
  Fiber fiber;
  State state;
  uint3 index;
};

struct Warp {
  unsigned live, arrived;
  bool odd;  // which of two buffers the next exchange uses: the other one may still be read; turns at every barrier
  alignas(16) unsigned char values[2][WARP * EXCHANGE_BYTES];
};

std::vector<std::unique_ptr<Thread>> threads;  // kept between grids
std::vector<Warp> warps;
unsigned count, live, arrived;  // threads of the running block
Thread* current;
const std::function<void()>* body;

void release(State waiting, unsigned begin, unsigned end) {
  for (unsigned i = begin; i < end && i < count; i++) {
    if (threads[i]->state == waiting) threads[i]->state = State::ready;
  }
}

void release_warp_if_complete(unsigned w) {
  if (warps[w].live == 0 || warps[w].arrived < warps[w].live) return;
  warps[w].arrived = 0;
  warps[w].odd = !warps[w].odd;
  release(State::at_warp, w * WARP, (w + 1) * WARP);
}

void release_block_if_complete() {
  if (live == 0 || arrived < live) return;
  arrived = 0;
  release(State::at_block, 0, count);
}

void run_thread() {
  (*body)();
  const unsigned w = place.warp;
  current->state = State::done;
  warps[w].live--;
  live--;
  release_warp_if_complete(w);
  release_block_if_complete();
  Fiber::suspend();
}

void resume(unsigned i) {
  current = threads[i].get();
  place.thread = current->index;
  place.lane = i % WARP;
  place.warp = i / WARP;
  current->fiber.resume();
}

void suspend_until_ready() {
  if (current->state != State::ready) Fiber::suspend();
}

void prepare_block(dim3 block) {
  live = count;
  arrived = 0;
  for (unsigned w = 0; w < warps.size(); w++) {
    warps[w].live = std::min(WARP, count - w * WARP);
    warps[w].arrived = 0;
  }
  for (unsigned i = 0; i < count; i++) {
    threads[i]->state = State::ready;
    threads[i]->index = {i % block.x, i / block.x % block.y, i / (block.x * block.y)};
    threads[i]->fiber.prepare(run_thread);
  }
}

// A warp runs until none of its lanes can, then the next one does.
void run_block(bool reverse) {
  while (live != 0) {
    bool progress = false;
    for (unsigned v = 0; v < warps.size(); v++) {
      const unsigned w = reverse ? static_cast<unsigned>(warps.size()) - 1 - v : v;
      for (bool again = true; again;) {
        again = false;
        for (unsigned l = 0; l < WARP; l++) {
          const unsigned i = w * WARP + (reverse ? WARP - 1 - l : l);
          if (i >= count || threads[i]->state != State::ready) continue;
          resume(i);
          again = progress = true;
        }
      }
    }
    if (!progress)
      throw std::runtime_error("threads of block " + std::to_string(place.block.x) + ", " + std::to_string(place.block.y) + ", " +
                               std::to_string(place.block.z) + " wait for others that have ended or wait elsewhere");
  }
}

}  // namespace

void run_grid(dim3 grid, dim3 block, size_t shared_bytes, const std::function<void()>& kernel) {
  static unsigned char shared[MAX_DYNAMIC_SHARED + 16];
  const char* order = std::getenv("DPLLM_SIMT_REVERSE");
  const bool reverse = order != nullptr && *order == '1';
  count = block.x * block.y * block.z;
  if (count == 0 || count > 1024 || grid.x == 0 || grid.y == 0 || grid.z == 0 || grid.y > 65535 || grid.z > 65535)
    throw std::runtime_error("no valid grid or block");
  if (shared_bytes > MAX_DYNAMIC_SHARED)
    throw std::runtime_error("too much shared memory: " + std::to_string(shared_bytes) + " bytes");
  dynamic_shared = shared + (16 - reinterpret_cast<uintptr_t>(shared) % 16) % 16;
  body = &kernel;
  while (threads.size() < count) threads.push_back(std::make_unique<Thread>());
  warps.resize((count + WARP - 1) / WARP);
  place.grid_dim = grid;
  place.block_dim = block;
  for (unsigned z = 0; z < grid.z; z++) {
    for (unsigned y = 0; y < grid.y; y++) {
      for (unsigned x = 0; x < grid.x; x++) {
        place.block = {x, y, z};
        std::memset(dynamic_shared, 0xff, shared_bytes);
        prepare_block(block);
        run_block(reverse);
      }
    }
  }
}

void wait_for_warp() {
  Warp& warp = warps[place.warp];
  current->state = State::at_warp;
  warp.arrived++;
  release_warp_if_complete(place.warp);
  suspend_until_ready();
}

void wait_for_block() {
  current->state = State::at_block;
  arrived++;
  release_block_if_complete();
  suspend_until_ready();
}

const unsigned char* exchange(const void* value, size_t size) {
  Warp& warp = warps[place.warp];
  unsigned char* values = warp.values[warp.odd];
  std::memcpy(values + place.lane * EXCHANGE_BYTES, value, size);
  wait_for_warp();
  return values;
}

unsigned live_lanes() { return warps[place.warp].live; }

}  // namespace simt
