// XXH3, the one hash of the codec, from the header that the xxhash-addon package ships.
#pragma once

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "codec/bytes.h"

namespace larder::codec {

inline std::uint64_t hash64(Bytes bytes, std::uint64_t seed) {
  return XXH3_64bits_withSeed(bytes.data(), bytes.size(), seed);
}

inline constexpr std::size_t kHash128Bytes = 16;

// Stores the 128-bit hash, highest byte first. Returns the byte behind it.
inline std::uint8_t* storeHash128(std::uint8_t* to, Bytes bytes, std::uint64_t seed) {
  XXH128_hash_t const hash = XXH3_128bits_withSeed(bytes.data(), bytes.size(), seed);
  return storeBig(storeBig(to, hash.high64, 8), hash.low64, 8);
}

}  // namespace larder::codec
