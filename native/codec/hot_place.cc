#include "codec/hot_place.h"

#include <algorithm>
#include <stdexcept>

#include "codec/hash.h"

namespace larder::codec {

namespace {

constexpr std::uint8_t kRawFlag = 0x01;
constexpr std::uint8_t kHashedFlag = 0x02;
constexpr std::uint8_t kRawBucketFlag = 0x03;
constexpr std::uint8_t kHashedBucketFlag = 0x04;
constexpr std::size_t kBucketNumberBytes = 4;
constexpr std::size_t kGenerationBytesMax = 8;

// Where in a cluster the key lies: `src/tiers/redis-shards.ts` says why these
// bytes.
constexpr std::uint8_t kShardTags[] = {
    0x89, 0x81, 0x98, 0x90, 0x22, 0x2a, 0x33, 0x3b, 0x40, 0x48, 0x51, 0x59, 0x62, 0x6a, 0x73, 0xf2,
    0x88, 0x80, 0x99, 0x91, 0x23, 0x2b, 0x32, 0x3a, 0x41, 0x49, 0x50, 0x58, 0x63, 0x6b, 0x72, 0x7a,
    0x8b, 0x83, 0x9a, 0x92, 0x24, 0x28, 0x31, 0x39, 0x42, 0x4a, 0x53, 0x5b, 0x60, 0x68, 0x71, 0x79,
    0x8a, 0x82, 0x9b, 0x93, 0x21, 0x29, 0x30, 0x38, 0x43, 0x4b, 0x52, 0x5a, 0x61, 0x69, 0x70, 0x78,
};
static_assert(sizeof kShardTags == kShardCount, "a tag for each shard");
constexpr std::size_t kShardTagBytes = 3;

// The top bits of hash x count: equal shares, in the order of the hashes.
std::uint32_t shareOf(std::uint64_t hash, std::uint32_t count) {
  __extension__ using Wide = unsigned __int128;
  return static_cast<std::uint32_t>((Wide{hash} * count) >> 64);
}

// Finds the packing of a generation, which is mostly that of the one asked for
// before.
class PackingFinder {
 public:
  explicit PackingFinder(std::span<GenerationPacking const> packings) : packings_(packings) {}

  std::uint32_t bucketCountOf(double generation) {
    if (last_ == packings_.size() || packings_[last_].generation != generation) seek(generation);
    return packings_[last_].bucketCount;
  }

 private:
  void seek(double generation) {
    for (last_ = 0; last_ < packings_.size(); last_++) {
      if (packings_[last_].generation == generation) return;
    }
    throw std::out_of_range("a generation without a packing");
  }

  std::span<GenerationPacking const> packings_;
  std::size_t last_ = 0;
};

// One entity key under way to its place.
struct Entity {
  Bytes key;
  std::uint64_t generation;
  std::uint32_t bucketCount;
  bool isHashed;
};

std::uint8_t flagOf(Entity const& entity) {
  if (entity.bucketCount == 0) return entity.isHashed ? kHashedFlag : kRawFlag;
  return entity.isHashed ? kHashedBucketFlag : kRawBucketFlag;
}

std::uint8_t* storeName(std::uint8_t* to, Entity const& entity, std::uint64_t seed) {
  return entity.isHashed ? storeHash128(to, entity.key, seed) : storeBytes(to, entity.key);
}

void appendField(HotPlaces& out, Entity const& entity, std::uint64_t seed) {
  std::size_t const start = out.fields.size();
  std::size_t const nameBytes = entity.isHashed ? kHash128Bytes : entity.key.size();
  out.fields.resize(start + 1 + nameBytes);
  out.fields[start] = static_cast<std::uint8_t>(nameBytes);
  storeName(&out.fields[start] + 1, entity, seed);
}

// Sets shard and bucket of slot `index`.
void setShares(HotPlaces& out, std::size_t index, Entity const& entity, HotPlacing const& placing) {
  if (entity.bucketCount == 0 && !placing.isSharded) return;
  std::uint64_t const hash = hash64(entity.key, placing.seeds.key);
  if (entity.bucketCount > 0) out.buckets[index] = shareOf(hash, entity.bucketCount);
  if (!placing.isSharded) return;
  // Neighbouring buckets lie in different shards, so that a load in their order
  // keeps all servers busy, and so do the first ones of different views, which
  // may have no other.
  out.shards[index] = entity.bucketCount > 0
                          ? (out.buckets[index] + entity.generation) % kShardCount
                          : shareOf(hash, kShardCount);
}

std::uint8_t* storeKey(std::uint8_t* to, HotPlaces& out, std::size_t index, Entity const& entity,
                       HotPlacing const& placing) {
  if (placing.isSharded) {
    *to++ = '{';
    *to++ = kShardTags[out.shards[index]];
    *to++ = '}';
  }
  *to++ = flagOf(entity);
  to = storeVarint(to, entity.generation);
  if (entity.bucketCount == 0) return storeName(to, entity, placing.seeds.key);
  appendField(out, entity, placing.seeds.key);
  return storeBig(to, out.buckets[index], kBucketNumberBytes);
}

void setCheck(HotPlaces& places, std::size_t index, std::uint64_t check, std::size_t slotCount) {
  if (places.isHashed.empty()) {
    places.isHashed.resize(slotCount);
    places.checks.resize(slotCount * kKeyCheckBytes);
  }
  places.isHashed[index] = 1;
  storeBig(&places.checks[index * kKeyCheckBytes], check, kKeyCheckBytes);
}

}  // namespace

HotPlaces placeHotRows(KeyBatch const& keys, std::span<std::uint32_t const> slots,
                       HotPlacing const& placing) {
  HotPlaces out;
  StoreKeys& places = out.keys;
  places.offsets.assign(slots.size() + 1, 0);
  bool const hasBuckets = std::ranges::any_of(
      placing.packings, [](GenerationPacking const& packing) { return packing.bucketCount > 0; });
  if (hasBuckets) {
    out.fieldOffsets.assign(slots.size() + 1, 0);
    out.buckets.resize(slots.size());
  }
  if (placing.isSharded) out.shards.resize(slots.size());
  // Room for the longest keys, cut at the end: to measure each first would cost
  // as much again.
  std::size_t const nameBytesMax =
      std::max({placing.rawKeyBytesMax, kHash128Bytes, kBucketNumberBytes});
  places.bytes.resize(slots.size() * (kShardTagBytes + 1 + kGenerationBytesMax + nameBytesMax));
  std::uint8_t* const start = places.bytes.data();
  std::uint8_t* to = start;
  PackingFinder finder(placing.packings);
  for (std::size_t index = 0; index < slots.size(); index++) {
    std::uint32_t const slot = slots[index];
    Bytes const key = keys.keyAt(slot);
    Entity const entity = {key, keys.generationAt(slot),
                           finder.bucketCountOf(keys.generations[slot]),
                           key.size() > placing.rawKeyBytesMax};
    setShares(out, index, entity, placing);
    to = storeKey(to, out, index, entity, placing);
    places.offsets[index + 1] = toOffset(static_cast<std::size_t>(to - start));
    if (hasBuckets) out.fieldOffsets[index + 1] = toOffset(out.fields.size());
    if (entity.isHashed) setCheck(out, index, hash64(key, placing.seeds.check), slots.size());
  }
  places.bytes.resize(places.offsets.back());
  return out;
}

std::vector<std::uint32_t> bucketsOf(Bytes bytes, std::span<std::uint32_t const> offsets,
                                     std::uint32_t bucketCount, std::uint64_t hotKeySeed) {
  std::vector<std::uint32_t> buckets(offsets.size() - 1);
  for (std::size_t index = 0; index < buckets.size(); index++) {
    Bytes const key = bytes.subspan(offsets[index], offsets[index + 1] - offsets[index]);
    buckets[index] = shareOf(hash64(key, hotKeySeed), bucketCount);
  }
  return buckets;
}

}  // namespace larder::codec
