#include "operators/few_rows_product.h"

#include <algorithm>

#include "device/launch.h"
#include "device/memory.h"
#include "device/properties.h"
#include "kernels/few_rows.cuh"
#include "kernels/float_types.cuh"

namespace dpllm {
namespace {

constexpr unsigned WARPS = 8, THREADS = WARPS * 32;
constexpr size_t BIT_COUNTS = MAX_BITS - MIN_BITS + 1;

struct FewRows {
  FewRowsPart parts[MAX_PARTS];
  unsigned count;
  PreparedRows x;
  float* partial;     // [splits, row tiles of all parts, ROWS, TILE_ROWS], where columns are split
  uint32_t* arrived;  // [bit counts, row tiles of all parts], zero at first
};

__device__ __forceinline__ int bits_of(const FewRowsPart& part, size_t m) {
  const int bits = part.reading.kind == Reading::Kind::fixed ? part.reading.high_bits : part.reading.bits[m];
  return min(max(bits, part.w.seed_bits), part.w.max_bits);
}

template <class Lookup>
__device__ __forceinline__ void multiply_part(const FewRowsPart& part, const PreparedRows& x, size_t row_tile,
                                              unsigned char* shared, float* sums) {
  Lookup lookup;
  const unsigned warp = threadIdx.x / 32;
  multiply_tiles(lookup, part.w, row_tile, blockIdx.y * WARPS + warp, gridDim.y * WARPS, x, shared);
  lookup.for_each_sum([&](int row, int m, float sum) { sums[m * TILE_ROWS + row] = sum; });
}

// Up to ROWS rows. grid (row tiles of all parts, splits of the columns, bit counts that rows may want); the warps of a block
// share a row tile and take its column tiles in turn. Sums of warps and of splits are added in their order, so that the result
// is always the same. Blocks with index z read at the z-th bit count that the rows want, most of which want the same: a loop
// would make the compiler keep in registers what each of its bodies needs.
template <int ROWS>
__global__ void __launch_bounds__(THREADS, ROWS <= 4 ? 2 : 1) few_rows_kernel(const __grid_constant__ FewRows args) {
  constexpr int PLACES = ROWS < 8 ? 8 : ROWS;  // HalfLookup has sums of 8 rows at least
  __shared__ float sums[WARPS][PLACES * TILE_ROWS];
  __shared__ bool last;
  DPLLM_DYNAMIC_SHARED(unsigned char, shared);
  const size_t rows = args.x.rows;
  size_t row_tile = blockIdx.x;
  unsigned which = 0;
  while (row_tile >= args.parts[which].w.row_tiles) row_tile -= args.parts[which++].w.row_tiles;
  const FewRowsPart& part = args.parts[which];
  unsigned wanted = 0;
  for (size_t m = 0; m < rows; m++) wanted |= 1u << bits_of(part, m);
  for (unsigned z = 0; z < blockIdx.z; z++) wanted &= wanted - 1;
  if (wanted == 0) return;
  const int bits = __ffs(static_cast<int>(wanted)) - 1;

  const bool bytes3 = part.w.byte_tables[0].bytes != nullptr, bytes4 = part.w.byte_tables[1].bytes != nullptr;
  float* to = sums[threadIdx.x / 32];
  if (bits == 3 && bytes3) multiply_part<ByteLookup<3, ROWS>>(part, args.x, row_tile, shared, to);
  else if (bits == 4 && bytes4) multiply_part<ByteLookup<4, ROWS>>(part, args.x, row_tile, shared, to);
  else if (bits == 3) multiply_part<HalfLookup<3, ROWS>>(part, args.x, row_tile, shared, to);
  else if (bits == 4) multiply_part<HalfLookup<4, ROWS>>(part, args.x, row_tile, shared, to);
  else if (bits == 5) multiply_part<HalfLookup<5, ROWS>>(part, args.x, row_tile, shared, to);
  else if (bits == 6) multiply_part<HalfLookup<6, ROWS>>(part, args.x, row_tile, shared, to);
  else if (bits == 7) multiply_part<HalfLookup<7, ROWS>>(part, args.x, row_tile, shared, to);
  else multiply_part<HalfLookup<8, ROWS>>(part, args.x, row_tile, shared, to);
  __syncthreads();

  // Element i of the block's results: row i / TILE_ROWS of x, row i % TILE_ROWS of the tile.
  const size_t places = gridDim.x * static_cast<size_t>(ROWS * TILE_ROWS);
  const size_t mine = blockIdx.x * static_cast<size_t>(ROWS * TILE_ROWS);
  const auto for_each_result = [&](auto&& body) {
    for (unsigned i = threadIdx.x; i < rows * TILE_ROWS; i += THREADS) {
      if (bits_of(part, i / TILE_ROWS) == bits) body(i);
    }
  };
  const auto store = [&](unsigned i, float sum) {
    const size_t n = row_tile * TILE_ROWS + i % TILE_ROWS;
    if (n >= part.w.rows) return;
    const Dense& bias = part.bias;
    part.out[i / TILE_ROWS * part.w.rows + n] = bias.data == nullptr ? sum : sum + load_float(bias.data, bias.type, n);
  };
  for_each_result([&](unsigned i) {
    float sum = 0.0f;
    for (unsigned warp = 0; warp < WARPS; warp++) sum += sums[warp][i];
    if (gridDim.y == 1) store(i, sum);
    else args.partial[blockIdx.y * places + mine + i] = sum;
  });
  if (gridDim.y == 1) return;

  // The block of this row tile and bit count that is done last adds what all of them have.
  __threadfence();
  __syncthreads();
  if (threadIdx.x == 0) last = atomicAdd(&args.arrived[blockIdx.z * gridDim.x + blockIdx.x], 1u) == gridDim.y - 1;
  __syncthreads();
  if (!last) return;
  __threadfence();
  for_each_result([&](unsigned i) {
    float sum = 0.0f;
    for (unsigned split = 0; split < gridDim.y; split++)
      sum += *static_cast<const volatile float*>(&args.partial[split * places + mine + i]);
    store(i, sum);
  });
}

size_t rows_of_kernel(size_t rows) { return rows <= 4 ? 4 : rows <= 8 ? 8 : 16; }

// About two blocks for each multiprocessor, as long as every warp has a tile.
unsigned splits_of(size_t row_tiles, size_t cols) {
  const size_t col_tiles = (cols + TILE_COLS - 1) / TILE_COLS, wanted = 2 * static_cast<size_t>(multiprocessors());
  unsigned splits = 1;
  while (2 * row_tiles * splits <= wanted && splits * WARPS < col_tiles) splits *= 2;
  return splits;
}

struct Scratch {
  size_t prepared, partial, arrived, total;
};
Scratch scratch_of(size_t rows, size_t cols, size_t row_tiles, unsigned splits) {
  const size_t places = splits == 1 ? 0 : splits * row_tiles * rows_of_kernel(rows) * TILE_ROWS;
  const size_t prepared = aligned(prepared_bytes(rows, cols)), partial = aligned(places * sizeof(float));
  const size_t arrived = splits == 1 ? 0 : aligned(BIT_COUNTS * row_tiles * sizeof(uint32_t));
  return {0, prepared, prepared + partial, prepared + partial + arrived};
}

}  // namespace

size_t few_rows_scratch_bytes(size_t rows, size_t cols, size_t row_tiles) {
  return scratch_of(rows, cols, row_tiles, splits_of(row_tiles, cols)).total;
}

void few_rows_product(const FewRowsPart* parts, size_t count, const float* x, size_t rows, void* scratch,
                      cudaStream_t stream) {
  if (rows == 0) return;
  FewRows args = {};
  size_t row_tiles = 0, shared = 0, bit_counts = 1;
  bool bytes = false, halves = false;
  for (size_t i = 0; i < count; i++) {
    const BitPlanes& w = parts[i].w;
    args.parts[i] = parts[i];
    row_tiles += w.row_tiles;
    const int lowest = parts[i].reading.kind == Reading::Kind::fixed ? parts[i].reading.high_bits : w.seed_bits;
    const int highest = parts[i].reading.kind == Reading::Kind::fixed ? parts[i].reading.high_bits : w.max_bits;
    const bool has_bytes = w.byte_tables[0].bytes != nullptr || w.byte_tables[1].bytes != nullptr;
    const bool all_bytes = has_bytes && highest <= BYTE_TABLE_BITS;
    bit_counts = std::max(bit_counts, std::min<size_t>(highest - lowest + 1, rows));
    bytes = bytes || (has_bytes && lowest <= BYTE_TABLE_BITS);
    halves = halves || !all_bytes;
    if (!all_bytes) shared = std::max(shared, half_table_bytes(highest));
  }
  args.count = static_cast<unsigned>(count);
  const size_t cols = parts[0].w.cols;
  const unsigned splits = splits_of(row_tiles, cols);
  const Scratch at = scratch_of(rows, cols, row_tiles, splits);
  char* memory = static_cast<char*>(scratch);
  args.x = place_prepared(memory + at.prepared, rows, cols, bytes, halves);
  args.partial = reinterpret_cast<float*>(memory + at.partial);
  args.arrived = reinterpret_cast<uint32_t*>(memory + at.arrived);
  prepare_rows(x, args.x, args.arrived, splits == 1 ? 0 : bit_counts * row_tiles, stream);
  const auto start = [&](auto* kernel) {
    allow_shared(kernel, shared);
    const dim3 grid(static_cast<unsigned>(row_tiles), splits, static_cast<unsigned>(bit_counts));
    launch("few_rows", kernel, grid, THREADS, shared, stream, args);
  };
  if (rows <= 4) start(few_rows_kernel<4>);
  else if (rows <= 8) start(few_rows_kernel<8>);
  else start(few_rows_kernel<16>);
}

}  // namespace dpllm
