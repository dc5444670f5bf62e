// Plain byte work: views, fixed-width numbers in a given byte order, varints.
//
// Loads and stores move bits (memcpy), so that no NaN payload is touched and no alignment is asked
// for. Little-endian hosts only: the build refuses others.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <stdexcept>

namespace larder::codec {

static_assert(std::endian::native == std::endian::little, "Larder runs on little-endian machines");

using Bytes = std::span<std::uint8_t const>;

template <typename T>
T loadLittle(std::uint8_t const* from) {
  T value;
  std::memcpy(&value, from, sizeof(T));
  return value;
}

template <typename T>
std::uint8_t* storeLittle(std::uint8_t* to, T value) {
  std::memcpy(to, &value, sizeof(T));
  return to + sizeof(T);
}

// The `byteCount` low bytes of `value`, the highest first. Returns the byte behind them.
inline std::uint8_t* storeBig(std::uint8_t* to, std::uint64_t value, std::size_t byteCount) {
  for (std::size_t index = byteCount; index-- > 0; value >>= 8) {
    to[index] = static_cast<std::uint8_t>(value);
  }
  return to + byteCount;
}

inline std::uint64_t loadBig64(std::uint8_t const* from) {
  return __builtin_bswap64(loadLittle<std::uint64_t>(from));
}

inline std::uint8_t* storeBytes(std::uint8_t* to, Bytes bytes) {
  if (!bytes.empty()) std::memcpy(to, bytes.data(), bytes.size());
  return to + bytes.size();
}

// Where something stands in a blob, as blobs hold their offsets. Throws length_error beyond 4 GiB.
inline std::uint32_t toOffset(std::size_t byteCount) {
  if (byteCount <= UINT32_MAX) return static_cast<std::uint32_t>(byteCount);
  throw std::length_error("a blob of more than 4 GiB");
}

// A signed integer, order kept, as an unsigned one.
inline std::uint64_t flipSign(std::int64_t value) {
  return static_cast<std::uint64_t>(value) ^ (std::uint64_t{1} << 63);
}
inline std::int64_t unflipSign(std::uint64_t value) {
  return static_cast<std::int64_t>(value ^ (std::uint64_t{1} << 63));
}

// A varint is LEB128: 7 bits a byte, the lowest first, the top bit of every byte but the last set.
inline std::size_t varintBytes(std::uint64_t value) {
  std::size_t byteCount = 1;
  for (; value >= 0x80; value >>= 7) byteCount++;
  return byteCount;
}

inline std::uint8_t* storeVarint(std::uint8_t* to, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) *to++ = static_cast<std::uint8_t>(value | 0x80);
  *to++ = static_cast<std::uint8_t>(value);
  return to;
}

}  // namespace larder::codec
