// Where rows lie in Redis, and commands with many keys.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "codec/hash.h"
#include "codec/hot_place.h"
#include "codec/redis_command.h"

using namespace larder::codec;

namespace {

void check(bool holds, char const* what) {
  if (holds) return;
  std::fprintf(stderr, "does not hold: %s\n", what);
  std::exit(1);
}

constexpr HotKeySeeds kSeeds = {1, 2};

Bytes bytesOf(std::string const& text) {
  return {reinterpret_cast<std::uint8_t const*>(text.data()), text.size()};
}

std::string textOf(Bytes bytes) { return {bytes.begin(), bytes.end()}; }

// The places of `keys` under `generation`, whose rows lie in `bucketCount` buckets or, at 0, in
// none.
HotPlaces placesOf(std::vector<std::string> const& keys, double generation,
                   std::uint32_t bucketCount, bool isSharded) {
  std::string blob;
  std::vector<std::uint32_t> offsets = {0};
  std::vector<std::uint32_t> slots;
  for (std::string const& key : keys) {
    slots.push_back(static_cast<std::uint32_t>(slots.size()));
    blob += key;
    offsets.push_back(static_cast<std::uint32_t>(blob.size()));
  }
  std::vector<double> const generations(keys.size(), generation);
  GenerationPacking const packings[] = {{generation + 1, 9}, {generation, bucketCount}};
  return placeHotRows({generations, bytesOf(blob), offsets}, slots,
                      {packings, 40, kSeeds, isSharded});
}

std::string keyAt(HotPlaces const& places, std::size_t index) {
  std::uint32_t const start = places.keys.offsets[index];
  return textOf(Bytes(places.keys.bytes).subspan(start, places.keys.offsets[index + 1] - start));
}

void testKeys() {
  std::string const longKey(41, 'x');
  std::string hash(kHash128Bytes, '\0');
  storeHash128(reinterpret_cast<std::uint8_t*>(hash.data()), bytesOf(longKey), kSeeds.key);
  HotPlaces const strings = placesOf({"abc", "", longKey}, 300, 0, false);
  check(keyAt(strings, 0) ==
            "\x01\xac\x02"
            "abc",
        "a raw key");
  check(keyAt(strings, 1) == "\x01\xac\x02", "an empty key");
  check(keyAt(strings, 2) == "\x02\xac\x02" + hash, "a hashed key");
  check(strings.fields.empty() && strings.shards.empty(), "nothing else");

  HotPlaces const buckets = placesOf({"abc", longKey}, 5, 1, false);
  check(keyAt(buckets, 0) == std::string("\x03\x05\0\0\0\0", 6), "the only bucket of raw keys");
  check(keyAt(buckets, 1) == std::string("\x04\x05\0\0\0\0", 6), "the only one of hashed keys");
  check(textOf(buckets.fields) == std::string("\x03") + "abc" + "\x10" + hash, "their fields");
  check(buckets.fieldOffsets == std::vector<std::uint32_t>({0, 4, 21}), "and where they are");
  check(buckets.isHashed == std::vector<std::uint8_t>({0, 1}), "which keys are hashed");
}

// The same hash decides of buckets and order: sorting by it sorts by bucket.
void testBuckets() {
  std::vector<std::string> keys;
  for (int index = 0; index < 5000; index++) keys.push_back("key " + std::to_string(index));
  std::ranges::sort(keys, {},
                    [](std::string const& key) { return hash64(bytesOf(key), kSeeds.key); });
  for (std::uint32_t const bucketCount : {1U, 7U, 100U, 4'000'000'000U}) {
    HotPlaces const places = placesOf(keys, 1, bucketCount, true);
    check(std::ranges::is_sorted(places.buckets), "greater hashes are in no lower bucket");
    check(places.buckets.back() < bucketCount, "buckets are below their count");
    for (std::size_t index = 0; index < keys.size(); index++) {
      check(places.shards[index] == (places.buckets[index] + 1) % kShardCount, "a bucket's shard");
      check(keyAt(places, index)[0] == '{' && keyAt(places, index)[2] == '}', "a tag");
    }
  }
  std::vector<int> counts(100);
  for (std::uint32_t const bucket : placesOf(keys, 1, 100, false).buckets) counts[bucket]++;
  check(std::ranges::min(counts) > 15 && std::ranges::max(counts) < 110, "buckets fill evenly");
}

void testCommand() {
  std::string const head = "$4\r\nHGET\r\n";
  std::string const keys = "onetwelve bytes";
  std::uint32_t const offsets[] = {0, 3, 15, 15};
  std::uint32_t const picks[] = {1, 0, 2};
  std::string const last = "x";
  Bytes const tail[] = {bytesOf(last)};
  RedisCommand const command = {1, bytesOf(head), bytesOf(keys), offsets, picks, tail};
  std::string encoded(redisCommandBytes(command), '?');
  storeRedisCommand(reinterpret_cast<std::uint8_t*>(encoded.data()), command);
  check(encoded == "*5\r\n$4\r\nHGET\r\n$12\r\ntwelve bytes\r\n$3\r\none\r\n$0\r\n\r\n$1\r\nx\r\n",
        "a command in the protocol");
}

}  // namespace

int main() {
  testKeys();
  testBuckets();
  testCommand();
}
