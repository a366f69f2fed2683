#pragma once
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <new>

namespace dpllm {

// Uninitialised memory on a cache line's boundary that only grows; growing loses what was in it.
class Buffer {
 public:
  Buffer() = default;
  explicit Buffer(size_t bytes) { reserve(bytes); }
  ~Buffer() { std::free(data_); }
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;
  Buffer(Buffer&& other) noexcept : data_(other.data_), size_(other.size_) { other.data_ = nullptr, other.size_ = 0; }

  void reserve(size_t bytes) {
    if (bytes <= size_) return;
    const size_t rounded = (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    if (rounded < bytes) throw std::bad_alloc();
    std::free(data_);
    size_ = 0;
    data_ = std::aligned_alloc(ALIGNMENT, rounded);
    if (data_ == nullptr) throw std::bad_alloc();
    size_ = rounded;
  }

  template <class T = uint8_t>
  T* as(size_t offset_bytes = 0) const {
    return reinterpret_cast<T*>(static_cast<uint8_t*>(data_) + offset_bytes);
  }
  size_t size() const { return size_; }

 private:
  static constexpr size_t ALIGNMENT = 64;
  void* data_ = nullptr;
  size_t size_ = 0;
};

}  // namespace dpllm
