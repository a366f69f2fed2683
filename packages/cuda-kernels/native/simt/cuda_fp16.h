#pragma once
// In place of CUDA's header, for the host: 16-bit floats and their conversions, round to nearest even.
#include <cmath>
#include <cstdint>
#include <cstring>

struct __half {
  uint16_t bits;
};

inline float __half2float(__half half) {
  const uint32_t sign = (half.bits & 0x8000u) << 16, exponent = (half.bits >> 10) & 31, mantissa = half.bits & 1023;
  if (exponent == 0) return (sign ? -1.0f : 1.0f) * static_cast<float>(mantissa) * 0x1p-24f;
  const uint32_t bits = sign | (exponent == 31 ? 0x7f800000u : (exponent + 112) << 23) | mantissa << 13;
  float value;
  std::memcpy(&value, &bits, 4);
  return value;
}

inline __half __float2half_rn(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, 4);
  const uint16_t sign = static_cast<uint16_t>(bits >> 16 & 0x8000);
  bits &= 0x7fffffff;
  if (bits > 0x7f800000) return {static_cast<uint16_t>(sign | 0x7e00)};
  if (bits >= 0x477ff000) return {static_cast<uint16_t>(sign | 0x7c00)};  // from the middle of 65504 and 65536
  if (bits < 0x38800000) return {static_cast<uint16_t>(sign | static_cast<uint16_t>(std::nearbyint(std::fabs(value) * 0x1p24f)))};
  bits += 0xfff + (bits >> 13 & 1);
  return {static_cast<uint16_t>(sign | (bits - 0x38000000) >> 13)};
}
