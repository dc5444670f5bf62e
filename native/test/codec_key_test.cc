// Keys alone: escapes, store keys, and equal keys found. Golden vectors are in
// test/codec-golden.test.ts.
#include <algorithm>
#include <map>

#include "codec/entity_key.h"
#include "codec/store_key.h"
#include "codec_example.h"

using namespace larder::codec;
using namespace larder::codec::test;

namespace {

std::string textOf(std::vector<std::uint8_t> const& bytes) { return {bytes.begin(), bytes.end()}; }

std::string pairKey(std::string const& first, std::string const& second) {
  OwnedColumn columns[2];
  std::string const* const texts[] = {&first, &second};
  for (std::size_t index = 0; index < 2; index++) {
    columns[index].data.assign(texts[index]->begin(), texts[index]->end());
    append(columns[index].lengths, static_cast<std::uint32_t>(texts[index]->size()));
    columns[index].status = {1};
  }
  FeatureType const type = {Shape::scalar, Scalar::bytes, EmbeddingStorage::f32, 0};
  Scalar const types[] = {Scalar::bytes, Scalar::bytes};
  WireColumn const views[] = {columns[0].view(type), columns[1].view(type)};
  std::size_t const cellCounts[] = {1, 1};
  ProblemList problems(1, 10);
  EntityKeys const keys = encodeEntityKeys({types, views, cellCounts, 1, 1024}, problems);
  check(problems.empty(), "two byte strings make a key");
  return textOf(keys.bytes);
}

// Over every pair of short strings of telling bytes: keys are as different and as ordered as pairs.
void testPairs() {
  std::vector<std::string> texts = {""};
  for (char const first : {'\0', '\1', '\xff'}) {
    texts.push_back({first});
    for (char const second : {'\0', '\1', '\xff'}) texts.push_back({first, second});
  }
  auto const bytesLess = [](std::string const& a, std::string const& b) {
    return std::ranges::lexicographical_compare(a, b, [](char x, char y) {
      return static_cast<std::uint8_t>(x) < static_cast<std::uint8_t>(y);
    });
  };
  std::vector<std::pair<std::string, std::string>> pairs;
  for (auto const& first : texts) {
    for (auto const& second : texts) pairs.emplace_back(first, second);
  }
  for (auto const& a : pairs) {
    for (auto const& b : pairs) {
      bool const isLess =
          a.first == b.first ? bytesLess(a.second, b.second) : bytesLess(a.first, b.first);
      check(bytesLess(pairKey(a.first, a.second), pairKey(b.first, b.second)) == isLess,
            "keys are ordered as their values");
    }
  }
}

void testDistinctKeys() {
  Random random(3);
  std::vector<std::uint8_t> bytes;
  std::vector<std::uint32_t> offsets = {0};
  std::map<std::string, std::uint32_t> known;
  std::vector<std::uint32_t> expected;
  for (std::uint32_t row = 0; row < 5000; row++) {
    std::string const key = std::to_string(random.below(700));
    bytes.insert(bytes.end(), key.begin(), key.end());
    offsets.push_back(static_cast<std::uint32_t>(bytes.size()));
    expected.push_back(known.emplace(key, static_cast<std::uint32_t>(known.size())).first->second);
  }
  DistinctKeys const distinct = dedupeKeys(bytes, offsets);
  check(distinct.slots == expected, "slots in order of first use");
  check(distinct.firstRows.size() == known.size(), "as many as there are distinct keys");
}

void testStoreKeys() {
  std::vector<std::uint8_t> const bytes(100, 'x');
  std::uint32_t const offsets[] = {0, 10, 100};
  double const generations[] = {16383, 16384};
  std::uint32_t const slots[] = {1, 0};
  KeyBatch const keys = {generations, bytes, offsets};
  StoreKeys const warm = encodeWarmKeys(keys, slots, 3);
  check(warm.offsets == std::vector<std::uint32_t>({0, 98, 116}), "8 bytes before each key");
}

}  // namespace

int main() {
  testPairs();
  testDistinctKeys();
  testStoreKeys();
  std::puts("codec_key_test: ok");
}
