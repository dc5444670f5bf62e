// What symbols stand for: the mappings of `feature_coding.h`, in both directions.
//
// `value(code, symbol, held)` is false where the symbol stands for no value of the type; a symbol
// of 0 always stands for one. `find(finder, stored)` is the first range that has a stored number.
#pragma once

#include <bit>
#include <cmath>

#include "codec/code_finder.h"
#include "codec/code_table.h"
#include "codec/decimal_scale.h"
#include "codec/feature_coding.h"
#include "codec/number_types.h"

namespace larder::codec {

// Value = symbol x unit, modulo 2^64.
template <typename N>
struct IntegerSymbols {
  std::int64_t unit;

  bool value(auto const&, std::uint64_t symbol, typename N::Held& held) const {
    auto const value = static_cast<std::int64_t>(symbol * static_cast<std::uint64_t>(unit));
    auto const stored = static_cast<typename N::Stored>(value);
    held = N::hold(stored);
    return static_cast<std::int64_t>(stored) == value && N::isValid(stored);
  }

  CodeFinder::Found find(CodeFinder const& finder, typename N::Stored stored) const {
    auto const value = static_cast<std::int64_t>(stored);
    if (unit == 1) return finder.find(value);
    if (value % unit != 0) return {nullptr, 0};
    return finder.find(value / unit);
  }
};

// Value = symbol / 10^exponent, correctly rounded.
template <typename N>
struct DecimalSymbols {
  using Float = std::conditional_t<sizeof(typename N::Stored) == 4, float, double>;

  bool value(auto const& code, std::uint64_t symbol, typename N::Held& held) const {
    DecimalScale const& scale = scaleOf(code.exponent);
    double const exact = static_cast<double>(static_cast<std::int64_t>(symbol));
    held =
        std::bit_cast<typename N::Held>(static_cast<Float>(exact / scale.divisor * scale.factor));
    return true;
  }

  // One symbol is tried for each range: the value x 10^exponent, rounded to the nearest integer.
  CodeFinder::Found find(CodeFinder const& finder, typename N::Stored stored) const {
    if (finder.ranges().empty()) return {nullptr, 0};
    auto const number = static_cast<double>(std::bit_cast<Float>(stored));
    CodeFinder::Bin const& bin = finder.binOf(number);
    CodeFinder::Range const& first = finder.ranges()[bin.candidates[0]];
    std::uint64_t above;
    if (finder.needsExactScale() || !surelyHolds(first, number, above)) [[unlikely]]
      return findExactly(finder, bin, number);
    return {&first, above};
  }

 private:
  static constexpr bool kIsFloat32 = sizeof(Float) == 4;
  // A double becomes the nearest float32, which is at most so many of its last places away; less
  // what a power of ten that is rounded may put wrong.
  static constexpr std::uint64_t kSurePlaces = (std::uint64_t{1} << 28) - 16;

  // Whether the range has the number, where that is sure without a division; `above` becomes how
  // far above its base the symbol is.
  static bool surelyHolds(CodeFinder::Range const& range, double number, std::uint64_t& above) {
    if constexpr (!kIsFloat32) return holds(range, number, above);
    DecimalScale const& scale = scaleOf(range.code.exponent);
    std::int64_t const symbol = std::llrint(number * scale.toSymbol);
    double const back = static_cast<double>(symbol) * scale.toValue;
    std::uint64_t const placesAway =
        std::bit_cast<std::uint64_t>(back) - std::bit_cast<std::uint64_t>(number);
    bool const isInRange = range.holds(symbol, above);
    return isInRange & (placesAway + kSurePlaces <= 2 * kSurePlaces);
  }

  // Where rounding has no result, it is no symbol of the range that gives the number back.
  static bool holds(CodeFinder::Range const& range, double number, std::uint64_t& above) {
    DecimalScale const& scale = scaleOf(range.code.exponent);
    std::int64_t const symbol = std::llrint(number * scale.divisor / scale.factor);
    double const back = static_cast<double>(symbol) / scale.divisor * scale.factor;
    return range.holds(symbol, above) &&
           std::bit_cast<typename N::Stored>(static_cast<Float>(back)) ==
               std::bit_cast<typename N::Stored>(static_cast<Float>(number));
  }

  [[gnu::noinline]] static CodeFinder::Found findExactly(CodeFinder const& finder,
                                                         CodeFinder::Bin const& bin,
                                                         double number) {
    std::uint64_t above;
    for (std::uint8_t const candidate : bin.candidates) {
      CodeFinder::Range const& range = finder.ranges()[candidate];
      if (holds(range, number, above)) return {&range, above};
    }
    if (!bin.hasMore) return {nullptr, 0};
    for (CodeFinder::Range const& range : finder.ranges()) {
      if (holds(range, number, above)) return {&range, above};
    }
    return {nullptr, 0};
  }
};

// Symbol = the IEEE bits without the lowest `shift`.
template <typename N>
struct FloatBitsSymbols {
  unsigned shift;

  bool value(auto const&, std::uint64_t symbol, typename N::Held& held) const {
    held = N::hold(static_cast<typename N::Stored>(symbol << shift));
    return symbol <= BitReader::lowBits(N::kStoredBits - shift);
  }

  CodeFinder::Found find(CodeFinder const& finder, typename N::Stored stored) const {
    std::uint64_t const bits = stored;
    if ((bits & BitReader::lowBits(shift)) != 0) return {nullptr, 0};
    return finder.find(static_cast<std::int64_t>(bits >> shift));
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
