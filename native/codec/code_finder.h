// Finds the first class of a code table that has a symbol, without a look at every class.
//
// Numbers fall into bins by their sign and the high bits of their magnitude as a double, so that
// bins are narrow where numbers are small. A bin names the ranges that may have what falls into it,
// in table order, and mostly it is the first of them. Whether a range has the symbol is always
// asked of the range itself: bins never decide that.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <vector>

#include "codec/code_table.h"

namespace larder::codec {

class CodeFinder {
 public:
  struct Range {
    CodeTable::Code code;
    std::uint64_t aboveMax;  // how far above its base the range ends

    // Whether the range has the symbol; `above` becomes how far above the base it is.
    bool holds(std::int64_t symbol, std::uint64_t& above) const {
      above = static_cast<std::uint64_t>(symbol) - static_cast<std::uint64_t>(code.base);
      return above <= aboveMax;
    }
  };

  // A range, null where none was found, and how far above its base the symbol is.
  struct Found {
    Range const* range;
    std::uint64_t above;
  };

  // The first two ranges, the same twice where there is one, and any where there is none.
  struct alignas(4) Bin {
    std::uint8_t candidates[2];
    bool hasMore;
  };

  CodeFinder() = default;
  // Of symbols as they are, or of the decimals that they stand for.
  CodeFinder(CodeTable const& table, bool areDecimals);

  // In table order.
  std::vector<Range> const& ranges() const { return ranges_; }

  // Whether a rounded power of ten may lead to another symbol than the exact one. Below 2^22 no two
  // symbols are so close to a float32 that it may.
  bool needsExactScale() const { return needsExactScale_; }

  // Of a symbol, or of the value that is sought as a decimal. Not where there are no ranges.
  Bin const& binOf(double number) const {
    auto const bits = std::bit_cast<std::uint64_t>(number);
    std::size_t const beginOfSign = -(bits >> 63) & binsPerSign_;
    return bins_[beginOfSign + placeOf(bits & kMagnitudeMask)];
  }

  // The first range that has the symbol.
  Found find(std::int64_t symbol) const {
    if (ranges_.empty()) return {nullptr, 0};
    Bin const& bin = binOf(static_cast<double>(symbol));
    Range const& first = ranges_[bin.candidates[0]];
    std::uint64_t above;
    if (first.holds(symbol, above)) [[likely]]
      return {&first, above};
    return findBehind(bin, symbol);
  }

 private:
  static constexpr std::uint64_t kMagnitudeMask = ~(std::uint64_t{1} << 63);

  struct Magnitudes;

  // The last bin of a sign is for 0 and for what no range has.
  std::size_t placeOf(std::uint64_t magnitude) const {
    return std::min<std::uint64_t>((magnitude - leastMagnitude_) >> shift_, binsPerSign_ - 1);
  }
  Found findBehind(Bin const& bin, std::int64_t symbol) const;
  void fillBins(std::vector<Magnitudes> const& magnitudes);

  std::vector<Range> ranges_;
  std::vector<Bin> bins_;  // of numbers from 0 on, then of negative ones
  std::uint64_t leastMagnitude_ = 0;
  unsigned shift_ = 0;
  std::size_t binsPerSign_ = 0;
  bool needsExactScale_ = false;
};

// Writes the symbol in the first class that has it; false where none does.
inline bool putSymbol(BitWriter& to, CodeFinder const& finder, std::int64_t symbol) {
  auto const [range, above] = finder.find(symbol);
  if (range == nullptr) return false;
  putCode(to, range->code, above);
  return true;
}

}  // namespace larder::codec
