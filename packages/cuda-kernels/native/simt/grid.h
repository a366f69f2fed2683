#pragma once
// Runs grids of kernels: blocks one after another, the threads of a block as fibers of one thread of the system. A fiber
// runs until it meets a barrier or a warp collective, then the next one that can run continues. The order is always the
// same, so that a data race gives the same wrong answer each time; DPLLM_SIMT_REVERSE=1 runs warps and lanes in the
// opposite order, in which other races show.
#include <cstddef>
#include <functional>

struct uint3 {
  unsigned x, y, z;
};
struct dim3 {
  unsigned x, y, z;
  constexpr dim3(unsigned x = 1, unsigned y = 1, unsigned z = 1) : x(x), y(y), z(z) {}
  constexpr dim3(const uint3& v) : x(v.x), y(v.y), z(v.z) {}
};

namespace simt {

constexpr unsigned WARP = 32;

// What the running thread's built-in variables are.
struct Place {
  uint3 thread, block;
  dim3 block_dim, grid_dim;
  unsigned lane, warp;
};
extern Place place;

// Shared memory of the running block beside its static arrays, all ones (NaN) when a block begins.
extern unsigned char* dynamic_shared;
constexpr size_t MAX_DYNAMIC_SHARED = 227 * 1024;  // as sm_90 has; sm_80 163 KiB, sm_86 and sm_89 99 KiB

// Runs `body` for every thread of every block. Throws std::runtime_error where threads of a block wait for others that
// do not come, which on a GPU would be a hang or undefined. One grid at a time.
void run_grid(dim3 grid, dim3 block, size_t shared_bytes, const std::function<void()>& body);

// Waits for all threads of the block, or of the warp, that have not ended.
void wait_for_block();
void wait_for_warp();

// Every thread of the warp gives up to 64 bytes and gets those of all: lane l's are at 64 l until the warp's next collective.
constexpr size_t EXCHANGE_BYTES = 64;
const unsigned char* exchange(const void* value, size_t size);
// Lanes of the warp that have not ended.
unsigned live_lanes();

}  // namespace simt
