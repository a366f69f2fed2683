#include "device/check.h"
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
  const size_t words = (host_.cols + 31) / 32;
  const size_t plane_bytes = static_cast<size_t>(host_.max_bits) * host_.rows * words * sizeof(uint32_t);
  const auto lut_bytes = [&](int bits) { return (host_.rows << bits) * sizeof(uint16_t); };
  size_t total = aligned(plane_bytes);
  for (int bits = host_.seed_bits; bits <= host_.max_bits; bits++) total += aligned(lut_bytes(bits));
  if (buffer_.size() != total) buffer_ = DeviceBuffer(device, total);
  planes_ = {buffer_.as<uint32_t>(), host_.rows, host_.cols, words, host_.seed_bits, host_.max_bits, {}};
  DPLLM_CUDA(cudaMemcpy, buffer_.as(), host_.planes, plane_bytes, cudaMemcpyHostToDevice);
  size_t offset = aligned(plane_bytes);
  for (int bits = host_.seed_bits; bits <= host_.max_bits; bits++) {
    DPLLM_CUDA(cudaMemcpy, buffer_.as(offset), host_.luts[bits], lut_bytes(bits), cudaMemcpyHostToDevice);
    planes_.luts[bits] = buffer_.as<uint16_t>(offset);
    offset += aligned(lut_bytes(bits));
  }
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
