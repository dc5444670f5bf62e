#include "codec/store_key.h"

#include "codec/hash.h"

namespace larder::codec {

namespace {

constexpr std::uint8_t kRawFlag = 0x01;
constexpr std::uint8_t kHashedFlag = 0x02;

std::size_t hotKeyBytes(KeyBatch const& keys, std::uint32_t slot, std::size_t rawKeyBytesMax) {
  std::size_t const keyBytes = keys.keyAt(slot).size();
  return 1 + varintBytes(keys.generationAt(slot)) +
         (keyBytes > rawKeyBytesMax ? kHash128Bytes : keyBytes);
}

}  // namespace

StoreKeys encodeHotKeys(KeyBatch const& keys, std::span<std::uint32_t const> slots,
                        std::size_t rawKeyBytesMax, HotKeySeeds seeds) {
  StoreKeys out;
  out.offsets.reserve(slots.size() + 1);
  out.offsets.push_back(0);
  std::size_t byteCount = 0;
  for (std::uint32_t const slot : slots) {
    byteCount += hotKeyBytes(keys, slot, rawKeyBytesMax);
    out.offsets.push_back(toOffset(byteCount));
  }
  out.bytes.resize(byteCount);
  out.isHashed.resize(slots.size());
  out.checks.resize(slots.size() * kKeyCheckBytes);
  std::uint8_t* to = out.bytes.data();
  for (std::size_t index = 0; index < slots.size(); index++) {
    Bytes const key = keys.keyAt(slots[index]);
    bool const isHashed = key.size() > rawKeyBytesMax;
    *to++ = isHashed ? kHashedFlag : kRawFlag;
    to = storeVarint(to, keys.generationAt(slots[index]));
    to = isHashed ? storeHash128(to, key, seeds.key) : storeBytes(to, key);
    if (!isHashed) continue;
    out.isHashed[index] = 1;
    storeBig(&out.checks[index * kKeyCheckBytes], hash64(key, seeds.check), kKeyCheckBytes);
  }
  return out;
}

StoreKeys encodeWarmKeys(KeyBatch const& keys, std::span<std::uint32_t const> slots,
                         std::uint64_t spreadSeed) {
  StoreKeys out;
  out.offsets.reserve(slots.size() + 1);
  out.offsets.push_back(0);
  std::size_t byteCount = 0;
  for (std::uint32_t const slot : slots) {
    byteCount += kWarmSpreadBytes + keys.keyAt(slot).size();
    out.offsets.push_back(toOffset(byteCount));
  }
  out.bytes.resize(byteCount);
  std::uint8_t* to = out.bytes.data();
  for (std::uint32_t const slot : slots) {
    Bytes const key = keys.keyAt(slot);
    to = storeBytes(storeBig(to, hash64(key, spreadSeed), kWarmSpreadBytes), key);
  }
  return out;
}

}  // namespace larder::codec
