// Store keys: what an entity key becomes in a tier.
//
//   hot, raw     01 | generation varint | entity key
//   hot, hashed  02 | generation varint | XXH3-128 of the entity key, 16 bytes big-endian
//   warm (SQL)   XXH3-64 of the entity key, 8 bytes big-endian | entity key
//
// A hashed key's row carries 8 more bytes, its check: XXH3-64 under another seed. Two entities
// whose keys share a 128-bit hash are told apart by it. Must never be asked for a key without its
// bytes: the caller has checked offsets and slots.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "codec/bytes.h"

namespace larder::codec {

// Entity keys in one blob, with the generation of each; key i is bytes[offsets[i], offsets[i + 1]).
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

struct HotKeySeeds {
  std::uint64_t key;
  std::uint64_t check;
};

inline constexpr std::size_t kKeyCheckBytes = 8;
inline constexpr std::size_t kWarmSpreadBytes = 8;

// One store key per slot, in one blob. `checks` holds 8 bytes per slot, zero where not hashed.
struct StoreKeys {
  std::vector<std::uint8_t> bytes;
  std::vector<std::uint32_t> offsets;
  std::vector<std::uint8_t> isHashed;
  std::vector<std::uint8_t> checks;
};

StoreKeys encodeHotKeys(KeyBatch const& keys, std::span<std::uint32_t const> slots,
                        std::size_t rawKeyBytesMax, HotKeySeeds seeds);

// `isHashed` and `checks` stay empty: a warm key keeps the whole entity key.
StoreKeys encodeWarmKeys(KeyBatch const& keys, std::span<std::uint32_t const> slots,
                         std::uint64_t spreadSeed);

}  // namespace larder::codec
