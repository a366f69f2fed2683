#pragma once
#include <cstdint>
#include <vector>

#include "test/comparison.h"

namespace dpllm {

// A random matrix of bit-planes with the tables of one bit count, as the arithmetic of these activations has them.
struct Matrix {
  std::vector<uint32_t> planes;
  std::vector<uint16_t> lut;
  std::vector<uint8_t> tables;
  std::vector<float> scales;
  BitPlaneView view;

  Matrix(size_t rows, size_t cols, int bits, int activation_bits = 8) {
    const size_t words = (cols + 31) / 32, entries = size_t{1} << bits;
    planes.resize(bits * rows * words);
    for (size_t i = 0; i < planes.size(); i++) planes[i] = generator() & (i % words == words - 1 && cols % 32 ? (1u << cols % 32) - 1 : ~0u);
    const std::vector<float> centroids = normal(rows * entries, 0.02f);
    lut.resize(rows * entries);
    generic_kernels.narrow_f16(centroids.data(), lut.data(), lut.size());
    tables.resize(rows * 2 * entries);
    const bool one_byte = bits <= BYTE_CENTROID_BITS && activation_bits == 8;
    for (size_t i = 0; i < tables.size(); i++) tables[i] = one_byte && i / entries % 2 ? 0 : uint8_t(generator());
    scales = normal(rows);
    view = {planes.data(), rows, cols, words, bits, lut.data(), tables.data(), scales.data()};
  }
};

}  // namespace dpllm
