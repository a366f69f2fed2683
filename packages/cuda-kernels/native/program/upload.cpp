#include <algorithm>
#include <utility>

#include "device/check.h"
#include "device/stream.h"
#include "kernels/byte_tables.h"
#include "kernels/tile_planes.h"
#include "program/program.h"

namespace dpllm {

void Weight::upload(int device) {
  DPLLM_CUDA(cudaSetDevice, device);
  if (!host_.bit_planes) {
    const size_t bytes = host_.rows * host_.cols * bytes_of(host_.type);
    if (buffer_.size() != bytes) buffer_ = DeviceBuffer(device, bytes);
    if (bytes != 0) DPLLM_CUDA(cudaMemcpy, buffer_.as(), host_.data, bytes, cudaMemcpyHostToDevice);
    dense_ = {buffer_.as(), host_.type, host_.rows, host_.cols};
    return;
  }
  upload_planes(device);
}

void Weight::upload_planes(int device) {
  const HostWeight& h = host_;
  const size_t words = (h.cols + 31) / 32;
  const size_t canonical_bytes = static_cast<size_t>(h.max_bits) * h.rows * words * sizeof(uint32_t);
  const size_t row_tiles = (h.rows + 15) / 16, col_tiles = (h.cols + 255) / 256;
  planes_ = {nullptr, h.rows, h.cols, words, h.seed_bits, h.max_bits, {}, h.max_bits >= 3, row_tiles, col_tiles, {}};

  // Where everything goes: planes, tables, tables of bytes.
  size_t total = 0, lut_at[MAX_BITS + 1] = {}, bytes_at[2] = {}, scales_at[2] = {};
  const auto take = [&](size_t bytes) { return std::exchange(total, total + aligned(bytes)); };
  take(planes_.tiled ? tiled_plane_bytes(planes_) : canonical_bytes);
  for (int bits = h.seed_bits; bits <= h.max_bits; bits++) lut_at[bits] = take((h.rows << bits) * sizeof(uint16_t));
  const int first = std::max(h.seed_bits, MIN_BITS), last = std::min(h.max_bits, BYTE_TABLE_BITS);
  bool with_bytes = planes_.tiled;
  for (int bits = first; bits <= last; bits++) with_bytes = with_bytes && fits_byte_tables(h.luts[bits], h.rows, bits);
  for (int bits = first; with_bytes && bits <= last; bits++) {
    bytes_at[bits - 3] = take(byte_table_bytes(bits, planes_.row_tiles));
    scales_at[bits - 3] = take(byte_scale_bytes(planes_.row_tiles));
  }
  if (buffer_.size() != total) {
    buffer_ = DeviceBuffer();  // freed first: there may be no room for both
    buffer_ = DeviceBuffer(device, total);
  }

  const Stream stream(device);
  const auto copy = [&](void* to, const void* from, size_t bytes) {
    if (bytes != 0) DPLLM_CUDA(cudaMemcpyAsync, to, from, bytes, cudaMemcpyHostToDevice, stream);
  };
  planes_.planes = buffer_.as<uint32_t>();
  for (int bits = h.seed_bits; bits <= h.max_bits; bits++) {
    planes_.luts[bits] = buffer_.as<uint16_t>(lut_at[bits]);
    copy(buffer_.as(lut_at[bits]), h.luts[bits], (h.rows << bits) * sizeof(uint16_t));
  }
  for (int bits = first; with_bytes && bits <= last; bits++) {
    planes_.byte_tables[bits - 3] = {buffer_.as<uint8_t>(bytes_at[bits - 3]), buffer_.as<float>(scales_at[bits - 3])};
    make_byte_tables(planes_, bits, stream);
  }
  const DeviceBuffer canonical(device, planes_.tiled ? canonical_bytes : 0);
  copy(planes_.tiled ? canonical.as() : buffer_.as(), h.planes, canonical_bytes);
  if (planes_.tiled) tile_planes(canonical.as<uint32_t>(), planes_, stream);
  stream.synchronize();
}

void upload(Program& program, int device, cudaStream_t stream) {
  DPLLM_CUDA(cudaSetDevice, device);
  for (Weight& weight : program.weights) weight.upload(device);
  for (Accumulator& accumulator : program.accumulators) {
    accumulator.data = DeviceBuffer(device, accumulator.bytes());
    if (accumulator.bytes() != 0) DPLLM_CUDA(cudaMemsetAsync, accumulator.data.as<void>(), 0, accumulator.bytes(), stream);
  }
  DPLLM_CUDA(cudaStreamSynchronize, stream);
}

}  // namespace dpllm
