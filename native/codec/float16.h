// IEEE 754 binary16, as bits: what `embedding<n, f16>` stores.
//
// Bits in and bits out, so that NaN payloads keep their top ten bits whatever the compiler does.
#pragma once

#include <bit>
#include <cstdint>

namespace larder::codec {

// Round to nearest, ties to even. A finite value at or above 65,520 becomes infinite: the caller
// refuses it. A NaN stays a NaN.
constexpr std::uint16_t halfFromFloat(std::uint32_t bits) {
  auto const sign = static_cast<std::uint16_t>((bits >> 16) & 0x8000);
  std::uint32_t const magnitude = bits & 0x7fffffff;
  if (magnitude > 0x7f800000) {
    std::uint32_t const payload = (magnitude >> 13) & 0x3ff;
    return static_cast<std::uint16_t>(sign | 0x7c00 | (payload == 0 ? 0x200 : payload));
  }
  if (magnitude >= 0x47800000) return static_cast<std::uint16_t>(sign | 0x7c00);
  // Below 2^-25 every value rounds to zero; 2^-25 itself is a tie, and even is zero.
  if (magnitude <= 0x33000000) return sign;
  std::uint32_t const exponent = magnitude >> 23;
  // Normal halves drop 13 bits of the fraction, subnormal ones more; 113 is the exponent of 2^-14.
  std::uint32_t const dropCount = exponent >= 113 ? 13 : 126 - exponent;
  std::uint32_t const fraction =
      exponent >= 113 ? magnitude - (std::uint32_t{112} << 23) : (magnitude & 0x7fffff) | 0x800000;
  std::uint32_t const kept = fraction >> dropCount;
  std::uint32_t const dropped = fraction & ((std::uint32_t{1} << dropCount) - 1);
  std::uint32_t const half = std::uint32_t{1} << (dropCount - 1);
  bool const roundsUp = dropped > half || (dropped == half && (kept & 1) != 0);
  return static_cast<std::uint16_t>(sign | (kept + (roundsUp ? 1 : 0)));
}

// Exact.
constexpr std::uint32_t floatFromHalf(std::uint16_t half) {
  std::uint32_t const sign = static_cast<std::uint32_t>(half & 0x8000) << 16;
  std::uint32_t const exponent = (half >> 10) & 0x1f;
  std::uint32_t const fraction = half & 0x3ff;
  if (exponent == 0x1f) return sign | 0x7f800000 | (fraction << 13);
  if (exponent != 0) return sign | ((exponent + 112) << 23) | (fraction << 13);
  if (fraction == 0) return sign;
  // Subnormal: the highest set bit becomes the implicit one.
  auto const shift = static_cast<std::uint32_t>(std::countl_zero(fraction)) - 21;
  return sign | ((113 - shift) << 23) | (((fraction << shift) & 0x3ff) << 13);
}

constexpr bool isFiniteHalf(std::uint16_t half) { return (half & 0x7c00) != 0x7c00; }

}  // namespace larder::codec
