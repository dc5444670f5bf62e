// Powers of ten by which decimals are scaled.
#pragma once

#include <array>

namespace larder::codec {

inline constexpr int kExponentMax = 22;

struct DecimalScale {
  // One of both is 1, so that dividing and multiplying rounds once.
  double divisor;
  double factor;
  // The same as one number, of which the one below 1 is rounded: quicker, but not exact.
  double toSymbol;
  double toValue;
};

// By exponent + 22. Powers of ten are exact up to 10^22.
inline constexpr auto kDecimalScales = [] {
  std::array<DecimalScale, 2 * kExponentMax + 1> scales{};
  double power = 1;
  for (int exponent = 0; exponent <= kExponentMax; exponent++, power *= 10) {
    scales[kExponentMax + exponent] = {power, 1, power, 1 / power};
    scales[kExponentMax - exponent] = {1, power, 1 / power, power};
  }
  return scales;
}();

inline DecimalScale const& scaleOf(int exponent) { return kDecimalScales[kExponentMax + exponent]; }

}  // namespace larder::codec
