// From columns to the values that nodes compare: shared by the tiles of all kernels.
//
// `Scalar` is what the kernel compares in. With float the caller answers for it that every value is
// exact in float32, or that the model's rules round it to one.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <type_traits>
#include <variant>

#include "trees/columns.h"

namespace larder::trees {

// LightGBM's kZeroThreshold: a float literal, and so the same bound in both widths.
inline constexpr float kTinyMax = 1e-35f;

template <typename Scalar>
Scalar inputOf(double x, NumberRules const& rules) {
  double const rounded = rules.roundsInputs ? static_cast<double>(static_cast<float>(x)) : x;
  bool const isDropped = rules.dropsTiny && std::fabs(rounded) <= static_cast<double>(kTinyMax);
  return isDropped ? Scalar{0} : static_cast<Scalar>(rounded);
}

// Floats need neither rounding nor widening.
inline float inputOf(float x, NumberRules const& rules) {
  return rules.dropsTiny && std::fabs(x) <= kTinyMax ? 0.0f : x;
}

// Writes the values of rows [begin, begin + count).
template <typename Scalar>
void loadValues(Column const& column, NumberRules const& rules, std::size_t begin,
                std::size_t count, Scalar* values) {
  std::visit(
      [&](auto const* source) {
        using Source = std::remove_cvref_t<decltype(*source)>;
        auto const input = [&](Source x) {
          if constexpr (std::is_same_v<Scalar, float> && std::is_same_v<Source, float>) {
            return inputOf(x, rules);
          } else {
            return inputOf<Scalar>(static_cast<double>(x), rules);
          }
        };
        if (column.isBroadcast) {
          std::fill_n(values, count, input(*source));
        } else {
          for (std::size_t i = 0; i < count; ++i) values[i] = input(source[begin + i]);
        }
      },
      column.values);
}

// Numerical preparations; `preparation` is not one of the categories'.
template <typename Scalar>
void prepareNumbers(Preparation preparation, Scalar* values, std::size_t count) {
  constexpr Scalar kLow = -std::numeric_limits<Scalar>::infinity();
  constexpr Scalar kNan = std::numeric_limits<Scalar>::quiet_NaN();
  auto const each = [&](auto prepare) {
    for (std::size_t i = 0; i < count; ++i) values[i] = prepare(values[i]);
  };
  switch (preparation) {
    case Preparation::zeroForNan:
      return each([](Scalar x) { return std::isnan(x) ? Scalar{0} : x; });
    case Preparation::nanForZeroAndNan:
      return each([](Scalar x) { return x == 0 ? kNan : x; });
    case Preparation::lowForZeroAndNan:
      return each([](Scalar x) { return x == 0 || std::isnan(x) ? kLow : x; });
    case Preparation::lowForNan:
      return each([](Scalar x) { return std::isnan(x) ? kLow : x; });
    case Preparation::nanForNan:
    case Preparation::category:
    case Preparation::categoryFromOne:
      return;
  }
}

}  // namespace larder::trees
