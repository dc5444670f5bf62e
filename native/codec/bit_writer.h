// Writes a bit stream as `bit_reader.h` reads it, into memory whose size was computed beforehand.
//
// Whole words are stored: `kSlackBytes` behind the last byte of the stream are overwritten.
#pragma once

#include "codec/bytes.h"

namespace larder::codec {

class BitWriter {
 public:
  static constexpr std::size_t kSlackBytes = 8;
  static constexpr unsigned kBitsAtOnce = 56;

  BitWriter() = default;
  explicit BitWriter(std::uint8_t* to) : to_(to) {}

  // The `bitCount` low bits of `value`, up to `kBitsAtOnce`; its other bits are 0.
  void putFew(std::uint64_t value, unsigned bitCount) {
    waiting_ |= value << waitingBits_;
    waitingBits_ += bitCount;
    storeLittle(to_, waiting_);
    to_ += waitingBits_ / 8;
    waiting_ >>= waitingBits_ & ~7u;
    waitingBits_ %= 8;
  }

  // The same of up to 64 bits.
  void put(std::uint64_t value, unsigned bitCount) {
    if (bitCount > kBitsAtOnce) {
      putFew(value & 0xffffffff, 32);
      putFew(value >> 32, bitCount - 32);
    } else {
      putFew(value, bitCount);
    }
  }

  void putBytes(Bytes bytes) {
    for (; bytes.size() >= 4; bytes = bytes.subspan(4)) {
      putFew(loadLittle<std::uint32_t>(bytes.data()), 32);
    }
    for (std::uint8_t const byte : bytes) putFew(byte, 8);
  }

  // Fills the last byte with zeros. Returns the byte behind it.
  std::uint8_t* finish() { return waitingBits_ == 0 ? to_ : to_ + 1; }

 private:
  std::uint8_t* to_ = nullptr;
  std::uint64_t waiting_ = 0;
  unsigned waitingBits_ = 0;  // fewer than 8 between two puts
};

}  // namespace larder::codec
