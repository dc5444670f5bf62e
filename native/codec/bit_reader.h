// Reads a bit stream: bit i is bit i mod 8 of byte floor(i / 8), and a number comes with its lowest
// bit first.
//
// Every step that moves says whether the stream had so many bits left; one that did not leaves the
// position where it was. What is peeked beyond the end is arbitrary, and never more than the
// padding.
#pragma once

#include <algorithm>

#include "codec/bytes.h"

namespace larder::codec {

class BitReader {
 public:
  // Bytes behind the stream that must be readable.
  static constexpr std::size_t kPaddingBytes = 16;
  // Bits that one peek always has.
  static constexpr unsigned kPeekBits = 57;

  BitReader() = default;
  BitReader(std::uint8_t const* bytes, std::size_t byteCount)
      : bytes_(bytes), end_(8 * byteCount) {}

  std::size_t position() const { return position_; }
  std::size_t left() const { return end_ - position_; }

  std::uint64_t peek() const {
    return loadLittle<std::uint64_t>(bytes_ + position_ / 8) >> (position_ % 8);
  }

  bool skip(std::size_t bitCount) {
    if (bitCount > left()) return false;
    position_ += bitCount;
    return true;
  }

  // A number of up to 64 bits.
  bool take(unsigned bitCount, std::uint64_t& value) {
    if (bitCount > left()) return false;
    std::uint64_t read = peek();
    unsigned const shift = position_ % 8;
    if (bitCount + shift > 64) {
      read |= static_cast<std::uint64_t>(bytes_[position_ / 8 + 8]) << (64 - shift);
    }
    value = read & lowBits(bitCount);
    position_ += bitCount;
    return true;
  }

  bool takeBytes(std::uint8_t* to, std::size_t byteCount) {
    if (byteCount > left() / 8) return false;
    if (position_ % 8 == 0) {
      if (byteCount > 0) std::memcpy(to, bytes_ + position_ / 8, byteCount);
      position_ += 8 * byteCount;
      return true;
    }
    for (std::size_t at = 0; at < byteCount; at += kBytesAtOnce) {
      std::size_t const partBytes = std::min(kBytesAtOnce, byteCount - at);
      std::uint64_t const part = peek();
      std::memcpy(to + at, &part, partBytes);
      position_ += 8 * partBytes;
    }
    return true;
  }

  static constexpr std::uint64_t lowBits(unsigned bitCount) {
    return bitCount == 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << bitCount) - 1;
  }

 private:
  static constexpr std::size_t kBytesAtOnce = kPeekBits / 8;

  std::uint8_t const* bytes_ = nullptr;
  std::size_t position_ = 0;
  std::size_t end_ = 0;
};

}  // namespace larder::codec
