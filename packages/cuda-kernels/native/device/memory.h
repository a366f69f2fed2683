#pragma once
// Memory of a device, and pinned memory of the host, that its owner frees.
#include <cstddef>
#include <cstdint>
#include <utility>

namespace dpllm {

// Bytes of device memory that this process holds through DeviceBuffer, of all devices.
size_t allocated_device_bytes();

// Of one device, which `device` numbers; made and freed on any thread.
class DeviceBuffer {
 public:
  DeviceBuffer() = default;
  // Throws CudaError.
  DeviceBuffer(int device, size_t bytes);
  // With a copy of the host's `data`, once that is done.
  DeviceBuffer(int device, const void* data, size_t bytes);
  ~DeviceBuffer();
  DeviceBuffer(DeviceBuffer&& other) noexcept { swap(other); }
  DeviceBuffer& operator=(DeviceBuffer&& other) noexcept {
    swap(other);
    return *this;
  }

  size_t size() const { return bytes_; }
  template <class T = char>
  T* as(size_t byte_offset = 0) const { return reinterpret_cast<T*>(static_cast<char*>(pointer_) + byte_offset); }

 private:
  void swap(DeviceBuffer& other) {
    std::swap(device_, other.device_);
    std::swap(pointer_, other.pointer_);
    std::swap(bytes_, other.bytes_);
  }
  int device_ = 0;
  void* pointer_ = nullptr;
  size_t bytes_ = 0;
};

// Of the host, where the device reads and writes it by itself.
class PinnedBuffer {
 public:
  PinnedBuffer() = default;
  explicit PinnedBuffer(size_t bytes);
  ~PinnedBuffer();
  PinnedBuffer(PinnedBuffer&& other) noexcept { *this = std::move(other); }
  PinnedBuffer& operator=(PinnedBuffer&& other) noexcept {
    std::swap(pointer_, other.pointer_);
    std::swap(bytes_, other.bytes_);
    return *this;
  }
  size_t size() const { return bytes_; }
  char* data() const { return static_cast<char*>(pointer_); }

 private:
  void* pointer_ = nullptr;
  size_t bytes_ = 0;
};

// Parts of memory begin at multiples of this: what the widest loads need.
constexpr size_t ALIGNMENT = 256;
inline size_t aligned(size_t bytes) { return (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT; }

}  // namespace dpllm
