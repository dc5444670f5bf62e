#include "codec/code_finder.h"

#include <cmath>

#include "codec/decimal_scale.h"

namespace larder::codec {

namespace {

constexpr std::size_t kBinsPerSignMax = 512;
constexpr std::uint8_t kNone = 0xff;

// More than what a float32 differs from its decimal, in the last places of a double.
constexpr std::uint64_t kFloat32Places = std::uint64_t{1} << 30;

constexpr std::int64_t kFewDigitsEnd = std::int64_t{1} << 22;

bool isRounded(CodeFinder::Range const& range) {
  auto const last = range.code.base + static_cast<std::int64_t>(range.aboveMax);
  return range.code.exponent < 0 &&
         (range.code.base <= -kFewDigitsEnd || last >= kFewDigitsEnd - 1);
}

std::uint64_t magnitudeOf(double number) { return std::bit_cast<std::uint64_t>(std::abs(number)); }

}  // namespace

// The magnitudes of a range's numbers, as the bits of doubles and by sign: from `least`, which is
// not 0, to `greatest`; none where that is less.
struct CodeFinder::Magnitudes {
  struct Span {
    std::uint64_t least = UINT64_MAX;
    std::uint64_t greatest = 0;
  };
  Span positive;
  Span negative;
  bool hasZero = false;
  bool hasAll = false;

  Magnitudes(Range const& range, bool areDecimals) {
    std::int64_t last;
    // A range that wraps around is left to the looks at its symbols.
    hasAll =
        range.aboveMax > INT64_MAX ||
        __builtin_add_overflow(range.code.base, static_cast<std::int64_t>(range.aboveMax), &last);
    if (hasAll) return;
    std::int64_t const first = range.code.base;
    hasZero = first <= 0 && last >= 0;
    DecimalScale const& scale = scaleOf(range.code.exponent);
    std::uint64_t const slack = areDecimals ? kFloat32Places : 0;
    auto const spanOf = [&](std::int64_t nearest, std::int64_t farthest) {
      auto const magnitude = [&](std::int64_t symbol) {
        return magnitudeOf(static_cast<double>(symbol) / scale.divisor * scale.factor);
      };
      return Span{magnitude(nearest) - slack, magnitude(farthest) + slack};
    };
    if (last > 0) positive = spanOf(std::max(first, std::int64_t{1}), last);
    if (first < 0) negative = spanOf(std::min(last, std::int64_t{-1}), first);
  }
};

CodeFinder::CodeFinder(CodeTable const& table, bool areDecimals) {
  std::vector<Magnitudes> magnitudes;
  std::uint64_t greatest = 0;
  leastMagnitude_ = UINT64_MAX;
  for (CodeTable::Code const& code : table.codes()) {
    if (code.kind != CodeKind::range) continue;
    ranges_.push_back({code, BitReader::lowBits(code.width)});
    if (areDecimals) needsExactScale_ |= isRounded(ranges_.back());
    Magnitudes const& its = magnitudes.emplace_back(ranges_.back(), areDecimals);
    leastMagnitude_ = std::min({leastMagnitude_, its.positive.least, its.negative.least});
    greatest = std::max({greatest, its.positive.greatest, its.negative.greatest});
  }
  std::uint64_t const span = greatest > leastMagnitude_ ? greatest - leastMagnitude_ : 0;
  std::size_t const binCountMax = ranges_.size() > 1 ? kBinsPerSignMax : 1;
  while (span >> shift_ >= binCountMax) shift_++;
  binsPerSign_ = static_cast<std::size_t>(span >> shift_) + 2;
  fillBins(magnitudes);
}

// From the last range to the first: each pushes those behind it back.
void CodeFinder::fillBins(std::vector<Magnitudes> const& magnitudes) {
  std::vector<std::uint8_t> places[3];
  for (auto& place : places) place.assign(2 * binsPerSign_, kNone);
  auto const push = [&](std::size_t range, std::size_t begin, std::size_t end) {
    for (std::size_t at : {2, 1}) {
      std::copy(places[at - 1].begin() + begin, places[at - 1].begin() + end,
                places[at].begin() + begin);
    }
    std::fill(places[0].begin() + begin, places[0].begin() + end, static_cast<std::uint8_t>(range));
  };
  auto const pushSpan = [&](std::size_t range, Magnitudes::Span span, std::size_t beginOfSign) {
    if (span.least > span.greatest) return;
    push(range, beginOfSign + placeOf(span.least), beginOfSign + placeOf(span.greatest) + 1);
  };
  for (std::size_t range = ranges_.size(); range-- > 0;) {
    Magnitudes const& its = magnitudes[range];
    if (its.hasAll) {
      push(range, 0, 2 * binsPerSign_);
      continue;
    }
    pushSpan(range, its.positive, 0);
    pushSpan(range, its.negative, binsPerSign_);
    if (its.hasZero) push(range, binsPerSign_ - 1, binsPerSign_);
  }
  bins_.reserve(2 * binsPerSign_);
  for (std::size_t at = 0; at < 2 * binsPerSign_; at++) {
    std::uint8_t const first = places[0][at] == kNone ? std::uint8_t{0} : places[0][at];
    std::uint8_t const second = places[1][at] == kNone ? first : places[1][at];
    bins_.push_back({{first, second}, places[2][at] != kNone});
  }
}

CodeFinder::Found CodeFinder::findBehind(Bin const& bin, std::int64_t symbol) const {
  std::uint64_t above;
  Range const& second = ranges_[bin.candidates[1]];
  if (second.holds(symbol, above)) return {&second, above};
  if (!bin.hasMore) return {nullptr, 0};
  for (Range const& range : ranges_) {
    if (range.holds(symbol, above)) return {&range, above};
  }
  return {nullptr, 0};
}

}  // namespace larder::codec
