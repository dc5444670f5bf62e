// Finding the class of a symbol or a number, held against a look at every class in turn.
#include <algorithm>
#include <cmath>

#include "codec/symbol_values.h"
#include "learned_example.h"

using namespace larder::codec;
using namespace larder::codec::test;

namespace {

// Of any magnitude, none more often than others.
std::int64_t randomSymbol(unsigned bitCountMax, Random& random) {
  std::uint64_t const magnitude = random.next() >> (64 - bitCountMax + random.below(bitCountMax));
  auto const symbol = static_cast<std::int64_t>(magnitude);
  return random.below(3) == 0 ? -symbol : symbol;
}

// Some near one another, some anywhere. Decimals of few or of many digits, with exponents of one
// sign or of both.
CodeTable randomTable(bool areDecimals, Random& random) {
  unsigned const bitCountMax = !areDecimals ? 63 : random.below(2) == 0 ? 52 : 20;
  unsigned const widthEnd = !areDecimals ? 65 : bitCountMax == 52 ? 30 : 12;
  int const exponentMin = areDecimals && random.below(2) == 0 ? -22 : 0;
  int const exponentMax = areDecimals ? static_cast<int>(random.below(23)) : 0;
  std::int64_t const center = randomSymbol(bitCountMax, random);
  std::vector<CodeClass> classes;
  for (unsigned const prefixBits : randomPrefixes(1 + random.below(kCodeClassesMax), random)) {
    bool const isNear = random.below(3) != 0;
    std::int64_t const base = isNear
                                  ? center / 2 + static_cast<std::int64_t>(random.below(200)) - 100
                                  : randomSymbol(bitCountMax, random);
    auto const exponentCount = static_cast<std::uint64_t>(exponentMax - exponentMin + 1);
    int const exponent = exponentMin + static_cast<int>(random.below(exponentCount));
    auto const width = static_cast<unsigned>(random.below(widthEnd));
    classes.push_back({CodeKind::range, prefixBits, base, width, exponent});
  }
  if (random.below(2) == 0) {
    classes.back() = {CodeKind::literal, classes.back().prefixBits, 0, 0, 0};
  }
  return CodeTable(classes);
}

// A symbol at an end of one of the ranges, or next to it, or within it, or anywhere.
std::int64_t symbolFor(CodeTable::Code const& code, Random& random) {
  auto const base = static_cast<std::uint64_t>(code.base);
  std::uint64_t const last = base + BitReader::lowBits(code.width);
  std::uint64_t const choices[] = {base - 1,
                                   base,
                                   base + 1,
                                   last - 1,
                                   last,
                                   last + 1,
                                   base + (random.next() & BitReader::lowBits(code.width)),
                                   random.next()};
  return static_cast<std::int64_t>(choices[random.below(8)]);
}

void checkFound(CodeFinder::Found found, CodeTable::Code const* expected, std::int64_t symbol,
                std::string const& what) {
  check((found.range == nullptr) == (expected == nullptr), what + ": whether there is a class");
  if (expected == nullptr) return;
  check(found.range->code.prefix == expected->prefix, what + ": the first class");
  check(found.range->code.prefixBits == expected->prefixBits, what + ": the first class");
  check(static_cast<std::uint64_t>(expected->base) + found.above ==
            static_cast<std::uint64_t>(symbol),
        what + ": the symbol");
}

bool holds(CodeTable::Code const& code, std::int64_t symbol) {
  std::uint64_t const above =
      static_cast<std::uint64_t>(symbol) - static_cast<std::uint64_t>(code.base);
  return code.kind == CodeKind::range && above <= BitReader::lowBits(code.width);
}

void testSymbols() {
  Random random(11);
  for (int run = 0; run < 3000; run++) {
    CodeTable const table = randomTable(false, random);
    CodeFinder const finder(table, false);
    for (int at = 0; at < 50; at++) {
      auto const& codes = table.codes();
      std::int64_t const symbol = symbolFor(codes[random.below(codes.size())], random);
      auto const expected = std::ranges::find_if(
          codes, [&](CodeTable::Code const& code) { return holds(code, symbol); });
      checkFound(finder.find(symbol), expected == codes.end() ? nullptr : &*expected, symbol,
                 "symbol " + std::to_string(symbol));
    }
  }
}

template <typename Float>
Float decimalOf(std::int64_t symbol, int exponent) {
  auto const exact = static_cast<double>(symbol);
  double const power = std::pow(10.0, std::abs(exponent));
  return static_cast<Float>(exponent >= 0 ? exact / power : exact * power);
}

// The symbol that format v1 takes for the number; nothing where it does not give it back.
template <typename Float>
std::optional<std::int64_t> symbolOf(Float number, int exponent) {
  double const power = std::pow(10.0, std::abs(exponent));
  auto const wide = static_cast<double>(number);
  double const scaled = exponent >= 0 ? wide * power : wide / power;
  if (!(std::abs(scaled) <= 0x1p53)) return std::nullopt;
  std::int64_t const symbol = std::llrint(scaled);
  Float const back = decimalOf<Float>(symbol, exponent);
  if (std::memcmp(&back, &number, sizeof back) != 0) return std::nullopt;
  return symbol;
}

template <typename N, typename Float>
void testDecimals() {
  Random random(12);
  for (int run = 0; run < 3000; run++) {
    CodeTable const table = randomTable(true, random);
    CodeFinder const finder(table, true);
    auto const& codes = table.codes();
    for (int at = 0; at < 50; at++) {
      CodeTable::Code const& code = codes[random.below(codes.size())];
      std::int64_t const symbol = symbolFor(code, random);
      auto stored = std::bit_cast<typename N::Stored>(decimalOf<Float>(symbol, code.exponent));
      if (random.below(4) == 0) stored += static_cast<typename N::Stored>(random.below(3)) - 1;
      if (random.below(16) == 0) stored = static_cast<typename N::Stored>(random.next());
      if (random.below(64) == 0) stored = std::bit_cast<typename N::Stored>(Float{-0.0});
      auto const number = std::bit_cast<Float>(stored);
      CodeTable::Code const* expected = nullptr;
      std::int64_t expectedSymbol = 0;
      for (CodeTable::Code const& each : codes) {
        auto const its = symbolOf(number, each.exponent);
        if (expected != nullptr || !its || !holds(each, *its)) continue;
        expected = &each;
        expectedSymbol = *its;
      }
      checkFound(DecimalSymbols<N>{}.find(finder, stored), expected, expectedSymbol,
                 "decimal " + std::to_string(number));
    }
  }
}

}  // namespace

int main() {
  testSymbols();
  testDecimals<Float32, float>();
  testDecimals<Float64, double>();
  std::puts("codec_finder_test: ok");
}
