// Code tables: how symbols, integers of 64 bits, become bits and come back.
//
// A table is a complete prefix code over a few classes. A class is null, or a literal, or a range
// of symbols, of which `width` bits behind the prefix say how far above `base` the symbol is.
// Prefixes are canonical: given in table order, which is that of their lengths.
// docs/formats/row-v1.md draws them.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "codec/bit_reader.h"
#include "codec/bit_writer.h"

namespace larder::codec {

enum class CodeKind : std::uint8_t { null, literal, range };

// A class as a profile declares it.
struct CodeClass {
  CodeKind kind;
  unsigned prefixBits;
  std::int64_t base;  // of ranges, as are the rest
  unsigned width;
  int exponent;  // of decimals
};

inline constexpr std::size_t kCodeClassesMax = 32;
inline constexpr unsigned kPrefixBitsMax = 10;

class CodeTable {
 public:
  // What stands behind a prefix: all that reading or writing a symbol needs to know.
  struct Code {
    std::int64_t base;
    CodeKind kind;
    std::uint8_t prefixBits;
    std::uint8_t width;
    std::int8_t exponent;
    std::uint8_t exponentIndex;  // its place among the table's exponents
    std::uint16_t prefix;        // as its bits come in the stream, the first one lowest

    unsigned bitCount() const { return unsigned{prefixBits} + width; }
    // Whether the range has the symbol; `above` becomes how far above the base it is.
    bool holds(std::int64_t symbol, std::uint64_t& above) const {
      above = static_cast<std::uint64_t>(symbol) - static_cast<std::uint64_t>(base);
      return kind == CodeKind::range && above <= BitReader::lowBits(width);
    }
  };

  CodeTable() = default;
  // Of classes in which `classesProblem` finds nothing wrong.
  explicit CodeTable(std::vector<CodeClass> const& classes);

  // In table order.
  std::vector<Code> const& codes() const { return codes_; }
  Code const* null() const { return null_ < 0 ? nullptr : &codes_[null_]; }
  Code const* literal() const { return literal_ < 0 ? nullptr : &codes_[literal_]; }
  // Those of its codes, each once.
  std::vector<std::int8_t> const& exponents() const { return exponents_; }
  // Of any code; what follows a literal's prefix is not counted.
  unsigned bitCountMax() const { return bitCountMax_; }
  // How many codes one peek surely has, literals' values not counted.
  std::size_t codesPerPeek() const { return codesPerPeek_; }

  // The code that comes first in the next bits of a stream.
  Code const& codeAt(std::uint64_t window) const { return byPrefix_[window & prefixMask_]; }
  // The symbol of that code, where the window has all its bits; 0 of null and literal ones.
  static std::uint64_t symbolAt(std::uint64_t window, Code const& code) {
    return static_cast<std::uint64_t>(code.base) +
           ((window >> code.prefixBits) & ((std::uint64_t{1} << code.width) - 1));
  }

  // Reads a code, and for a range its symbol; 0 for others. False where the stream ends first.
  bool take(BitReader& from, Code& code, std::uint64_t& symbol) const {
    std::uint64_t const window = from.peek();
    code = codeAt(window);
    if (code.bitCount() > BitReader::kPeekBits) [[unlikely]]
      return takeWide(from, code, symbol);
    symbol = symbolAt(window, code);
    return from.skip(code.bitCount());
  }

 private:
  std::uint8_t exponentIndexOf(std::int8_t exponent);
  static bool takeWide(BitReader& from, Code const& code, std::uint64_t& symbol);

  std::vector<Code> codes_;
  std::vector<std::int8_t> exponents_;
  // By the next bits of the stream, as many as the longest prefix has.
  std::vector<Code> byPrefix_;
  std::uint64_t prefixMask_ = 0;
  int null_ = -1;
  int literal_ = -1;
  unsigned bitCountMax_ = 0;
  std::size_t codesPerPeek_ = 0;
};

// Writes a range's prefix and how far above its base the symbol is.
inline void putCode(BitWriter& to, CodeTable::Code const& code, std::uint64_t above) {
  if (code.bitCount() <= 64) {
    return to.put(above << code.prefixBits | code.prefix, code.bitCount());
  }
  to.put(code.prefix, code.prefixBits);
  to.put(above, code.width);
}

// Writes the prefix alone.
inline void putPrefix(BitWriter& to, CodeTable::Code const& code) {
  to.put(code.prefix, code.prefixBits);
}

// Writes the symbol in the first class that has it; false where none does.
inline bool putSymbol(BitWriter& to, CodeTable const& table, std::int64_t symbol) {
  for (CodeTable::Code const& code : table.codes()) {
    std::uint64_t above;
    if (!code.holds(symbol, above)) continue;
    putCode(to, code, above);
    return true;
  }
  return false;
}

// What is wrong with classes as a table, in words.
std::optional<std::string> classesProblem(std::vector<CodeClass> const& classes);

}  // namespace larder::codec
