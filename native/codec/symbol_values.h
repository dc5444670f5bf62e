// What symbols stand for: the mappings of `feature_coding.h`, in both directions.
//
// `value(code, symbol, held)` is false where the symbol stands for no value of the type; a symbol
// of 0 always stands for one. `put(to, table, stored)` writes a stored number in the first class
// that has it; false where none does.
#pragma once

#include <array>
#include <bit>
#include <cmath>

#include "codec/code_table.h"
#include "codec/feature_coding.h"
#include "codec/number_types.h"

namespace larder::codec {

// Value = symbol x unit, modulo 2^64.
template <typename N>
struct IntegerSymbols {
  std::int64_t unit;

  bool value(CodeTable::Code const&, std::uint64_t symbol, typename N::Held& held) const {
    auto const value = static_cast<std::int64_t>(symbol * static_cast<std::uint64_t>(unit));
    auto const stored = static_cast<typename N::Stored>(value);
    held = N::hold(stored);
    return static_cast<std::int64_t>(stored) == value && N::isValid(stored);
  }

  bool put(BitWriter& to, CodeTable const& table, typename N::Stored stored) const {
    auto const value = static_cast<std::int64_t>(stored);
    if (unit == 1) return putSymbol(to, table, value);
    return value % unit == 0 && putSymbol(to, table, value / unit);
  }
};

inline constexpr int kExponentMax = 22;

// By exponent + 22: one of both is 1, so that dividing and multiplying rounds once. Powers of ten
// are exact up to 10^22.
struct DecimalScale {
  double divisor;
  double factor;
};
inline constexpr auto kDecimalScales = [] {
  std::array<DecimalScale, 2 * kExponentMax + 1> scales{};
  double power = 1;
  for (int exponent = 0; exponent <= kExponentMax; exponent++, power *= 10) {
    scales[kExponentMax + exponent] = {power, 1};
    scales[kExponentMax - exponent] = {1, power};
  }
  return scales;
}();

// Value = symbol / 10^exponent, correctly rounded.
template <typename N>
struct DecimalSymbols {
  using Float = std::conditional_t<sizeof(typename N::Stored) == 4, float, double>;

  bool value(CodeTable::Code const& code, std::uint64_t symbol, typename N::Held& held) const {
    DecimalScale const& scale = kDecimalScales[kExponentMax + code.exponent];
    double const exact = static_cast<double>(static_cast<std::int64_t>(symbol));
    held =
        std::bit_cast<typename N::Held>(static_cast<Float>(exact / scale.divisor * scale.factor));
    return true;
  }

  // One symbol is tried for each exponent: the value x 10^exponent, rounded to the nearest integer.
  bool put(BitWriter& to, CodeTable const& table, typename N::Stored stored) const {
    std::array<std::int64_t, kCodeClassesMax> symbols;
    std::uint32_t isPossible = roundedSymbols(table, stored, symbols);
    for (CodeTable::Code const& code : table.codes()) {
      std::uint32_t const bit = std::uint32_t{1} << code.exponentIndex;
      std::uint64_t above;
      if ((isPossible & bit) == 0 || !code.holds(symbols[code.exponentIndex], above)) continue;
      typename N::Held back;
      value(code, static_cast<std::uint64_t>(symbols[code.exponentIndex]), back);
      if (back == stored) {
        putCode(to, code, above);
        return true;
      }
      // Nor is it one of the exponent's other classes.
      isPossible &= ~bit;
    }
    return false;
  }

 private:
  // How far a value x 10^exponent may be from its symbol, as a share of it: what rounding the value
  // to its type took away, and a little for the product's own rounding.
  static constexpr double kTolerance = sizeof(Float) == 4 ? 0x1p-23 : 0x1p-51;

  // The symbol to try for each exponent of the table. Returns a bit for each that may give the
  // value back: to be sure takes a division.
  static std::uint32_t roundedSymbols(CodeTable const& table, typename N::Stored stored,
                                      std::array<std::int64_t, kCodeClassesMax>& symbols) {
    auto const number = static_cast<double>(std::bit_cast<Float>(stored));
    std::uint32_t isPossible = 0;
    for (std::size_t index = 0; index < table.exponents().size(); index++) {
      int const exponent = table.exponents()[index];
      DecimalScale const& scale = kDecimalScales[kExponentMax + exponent];
      double const scaled = exponent >= 0 ? number * scale.divisor : number / scale.factor;
      symbols[index] = 0;
      // Also false for NaN. Symbols of decimals do not pass 2^53.
      if (!(std::abs(scaled) <= 0x1p53)) continue;
      symbols[index] = std::llrint(scaled);
      auto const rounded = static_cast<double>(symbols[index]);
      bool const isNear = std::abs(scaled - rounded) <= std::abs(rounded) * kTolerance;
      isPossible |= std::uint32_t{isNear} << index;
    }
    return isPossible;
  }
};

// Symbol = the IEEE bits without the lowest `shift`.
template <typename N>
struct FloatBitsSymbols {
  unsigned shift;

  bool value(CodeTable::Code const&, std::uint64_t symbol, typename N::Held& held) const {
    held = N::hold(static_cast<typename N::Stored>(symbol << shift));
    return symbol <= BitReader::lowBits(N::kStoredBits - shift);
  }

  bool put(BitWriter& to, CodeTable const& table, typename N::Stored stored) const {
    std::uint64_t const bits = stored;
    if ((bits & BitReader::lowBits(shift)) != 0) return false;
    return putSymbol(to, table, static_cast<std::int64_t>(bits >> shift));
  }
};

// Calls `use(number, symbols)` for what the mapping and the type are. Not for dictionaries.
template <typename Use>
decltype(auto) withSymbols(FeatureType const& type, SymbolMapping const& mapping, Use use) {
  return withNumber(type, [&](auto number) {
    using N = decltype(number);
    constexpr bool isFloat = std::is_same_v<N, Float32> || std::is_same_v<N, Float64>;
    if constexpr (isFloat) {
      if (mapping.kind == MappingKind::decimal) return use(number, DecimalSymbols<N>{});
      return use(number, FloatBitsSymbols<N>{mapping.shift});
    } else if constexpr (std::is_same_v<N, Half>) {
      return use(number, FloatBitsSymbols<N>{mapping.shift});
    } else {
      return use(number, IntegerSymbols<N>{mapping.unit});
    }
  });
}

}  // namespace larder::codec
