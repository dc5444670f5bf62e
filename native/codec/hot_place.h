// Hot places: where the row of an entity lies in Redis.
//
//   string packing, a key for each row
//     raw      01 | generation varint | entity key
//     hashed   02 | generation varint | XXH3-128 of the entity key, 16 bytes
//     big-endian
//   bucket packing, a hash for many rows
//     key      03, or 04 where its rows are of hashed keys | generation varint
//     | number, 4 bytes BE field    the entity key, or its XXH3-128
//
// Long keys are hashed; their rows carry 8 bytes more, the check, which is
// XXH3-64 under another seed. In a cluster the tag of a shard, `{x}`, stands
// before every key. Must never change: stored rows would be lost to their keys.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "codec/bytes.h"
#include "codec/store_key.h"

namespace larder::codec {

struct HotKeySeeds {
  std::uint64_t key;
  std::uint64_t check;
};

inline constexpr std::size_t kKeyCheckBytes = 8;

// How the rows of a generation lie in Redis.
struct GenerationPacking {
  double generation;
  // 0: a key for each row.
  std::uint32_t bucketCount;
};

struct HotPlacing {
  // Of every generation of the keys.
  std::span<GenerationPacking const> packings;
  // At most 255.
  std::size_t rawKeyBytesMax;
  HotKeySeeds seeds;
  bool isSharded;
};

// In a cluster, groups of keys that may lie on as many servers.
inline constexpr std::uint32_t kShardCount = 64;

// The place of the row of each slot. What no row has is empty.
struct HotPlaces {
  // Of the rows, or of their buckets.
  StoreKeys keys;
  // Empty where no key is hashed; `checks` hold 8 bytes per slot.
  std::vector<std::uint8_t> isHashed;
  std::vector<std::uint8_t> checks;
  // Of rows in buckets the field's name, behind a byte that counts its bytes.
  std::vector<std::uint8_t> fields;
  std::vector<std::uint32_t> fieldOffsets;
  // Empty where nothing is sharded.
  std::vector<std::uint32_t> shards;
  // 0 where a row has a key of its own.
  std::vector<std::uint32_t> buckets;
};

// Throws out_of_range where the generation of a key has no packing.
HotPlaces placeHotRows(KeyBatch const& keys, std::span<std::uint32_t const> slots,
                       HotPlacing const& placing);

// The bucket of each key, below `bucketCount`. A greater hash is in no lower
// bucket.
std::vector<std::uint32_t> bucketsOf(Bytes bytes, std::span<std::uint32_t const> offsets,
                                     std::uint32_t bucketCount, std::uint64_t hotKeySeed);

}  // namespace larder::codec
