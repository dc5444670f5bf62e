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
    std::uint16_t prefix;  // as its bits come in the stream, the first one lowest

    unsigned bitCount() const { return unsigned{prefixBits} + width; }
  };

  // A code as reading wants it.
  struct ReadCode {
    std::int64_t base;
    std::uint64_t symbolMask;  // the bits behind the prefix
    std::uint8_t prefixBits;
    std::uint8_t bitCount;
    std::int8_t exponent;
    CodeKind kind;
    bool isPlain;  // one peek has all of it: neither a literal nor a wide range

    // The symbol where the window has all its bits; 0 of null and literal ones.
    std::uint64_t symbolIn(std::uint64_t window) const {
      return static_cast<std::uint64_t>(base) + ((window >> prefixBits) & symbolMask);
    }
  };

  // Where codes are looked up. It is held by value in loops: what they store could be the table,
  // for all that the compiler knows.
  class Reading {
   public:
    // The code that comes first in the next bits of a stream.
    ReadCode const& codeAt(std::uint64_t window) const {
      return codes_[byPrefix_[window & prefixMask_]];
    }
    // Reads a code, and for a range its symbol; 0 for others. Null where the stream ends first.
    ReadCode const* take(BitReader& from, std::uint64_t& symbol) const {
      std::uint64_t const window = from.peek();
      ReadCode const& code = codeAt(window);
      if (code.bitCount > BitReader::kPeekBits) [[unlikely]]
        return takeWide(from, code, symbol) ? &code : nullptr;
      symbol = code.symbolIn(window);
      return from.skip(code.bitCount) ? &code : nullptr;
    }

   private:
    friend class CodeTable;
    ReadCode const* codes_;
    std::uint8_t const* byPrefix_;
    std::uint64_t prefixMask_;
  };

  CodeTable() = default;
  // Of classes in which `classesProblem` finds nothing wrong.
  explicit CodeTable(std::vector<CodeClass> const& classes);

  // In table order.
  std::vector<Code> const& codes() const { return codes_; }
  Code const* null() const { return null_ < 0 ? nullptr : &codes_[null_]; }
  Code const* literal() const { return literal_ < 0 ? nullptr : &codes_[literal_]; }
  // Of any code; what follows a literal's prefix is not counted.
  unsigned bitCountMax() const { return bitCountMax_; }
  // How many codes one peek surely has, literals' values not counted.
  std::size_t codesPerPeek() const { return codesPerPeek_; }

  // Good for as long as the table is.
  Reading reading() const {
    Reading reading;
    reading.codes_ = readCodes_.data();
    reading.byPrefix_ = byPrefix_.data();
    reading.prefixMask_ = prefixMask_;
    return reading;
  }

 private:
  static bool takeWide(BitReader& from, ReadCode const& code, std::uint64_t& symbol);

  std::vector<Code> codes_;
  std::vector<ReadCode> readCodes_;
  // Places in `readCodes_`, by the next bits of the stream, as many as the longest prefix has.
  std::vector<std::uint8_t> byPrefix_;
  std::uint64_t prefixMask_ = 0;
  int null_ = -1;
  int literal_ = -1;
  unsigned bitCountMax_ = 0;
  std::size_t codesPerPeek_ = 0;
};

// Writes a range's prefix and how far above its base the symbol is.
inline void putCode(BitWriter& to, CodeTable::Code const& code, std::uint64_t above) {
  unsigned const bitCount = code.bitCount();
  if (bitCount <= BitWriter::kBitsAtOnce) [[likely]] {
    return to.putFew(above << code.prefixBits | code.prefix, bitCount);
  }
  to.putFew(code.prefix, code.prefixBits);
  to.put(above, code.width);
}

// Writes the prefix alone.
inline void putPrefix(BitWriter& to, CodeTable::Code const& code) {
  to.put(code.prefix, code.prefixBits);
}

// What is wrong with classes as a table, in words.
std::optional<std::string> classesProblem(std::vector<CodeClass> const& classes);

}  // namespace larder::codec
