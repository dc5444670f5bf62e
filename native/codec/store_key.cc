#include "codec/store_key.h"

#include "codec/hash.h"

namespace larder::codec {

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
