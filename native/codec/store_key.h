// Store keys: what an entity key becomes in SQL; `hot_place.h` says what it
// becomes in Redis.
//
//   warm (SQL)   XXH3-64 of the entity key, 8 bytes big-endian | entity key
//
// Must never be asked for a key without its bytes: the caller has checked
// offsets and slots.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "codec/bytes.h"

namespace larder::codec {

// Entity keys in one blob, with the generation of each; key i is
// bytes[offsets[i], offsets[i + 1]).
struct KeyBatch {
  std::span<double const> generations;
  Bytes bytes;
  std::span<std::uint32_t const> offsets;

  Bytes keyAt(std::uint32_t index) const {
    return bytes.subspan(offsets[index], offsets[index + 1] - offsets[index]);
  }
  std::uint64_t generationAt(std::uint32_t index) const {
    return static_cast<std::uint64_t>(generations[index]);
  }
};

inline constexpr std::size_t kWarmSpreadBytes = 8;

// One store key per slot, in one blob.
struct StoreKeys {
  std::vector<std::uint8_t> bytes;
  std::vector<std::uint32_t> offsets;
};

StoreKeys encodeWarmKeys(KeyBatch const& keys, std::span<std::uint32_t const> slots,
                         std::uint64_t spreadSeed);

}  // namespace larder::codec
