// Rows alone: what was encoded decodes, a row cut anywhere is corrupt, and varints are minimal.
// Comparisons with the plain reference are in test/codec.test.ts.
#include <algorithm>
#include <stdexcept>

#include "codec/row_header.h"
#include "codec_example.h"

using namespace larder::codec;
using namespace larder::codec::test;

namespace {

void testCuts() {
  Random random(1);
  std::vector<SharedLayout> const layouts = {share(everyTypeLayout(300))};
  RowDecoder const decoder = decoderOf(layouts);
  std::vector<std::uint8_t> const row = randomRows(layouts, 1, random).bytes;
  for (std::size_t byteCount = 0; byteCount <= row.size(); byteCount++) {
    Decoded const decoded = decodeOne(decoder, {row.begin(), row.begin() + byteCount});
    check(decoded.isCorrupt() == (byteCount < row.size()), "a cut at " + std::to_string(byteCount));
  }
}

void testVarints() {
  auto const read = [](std::vector<std::uint8_t> const& bytes) {
    std::size_t offset = 0;
    return readVarint(bytes, offset);
  };
  for (std::uint64_t const value :
       {0ull, 1ull, 127ull, 128ull, 16383ull, 16384ull, 0xffffffffull}) {
    std::vector<std::uint8_t> bytes(varintBytes(value));
    check(storeVarint(bytes.data(), value) == bytes.data() + bytes.size(), "varintBytes");
    check(read(bytes) == static_cast<std::uint32_t>(value), "a varint is read back");
  }
  check(!read({}), "no bytes");
  check(!read({0x80}), "cut");
  check(!read({0x80, 0x00}), "not minimal");
  check(!read({0xff, 0xff, 0xff, 0xff, 0x10}), "beyond 32 bits");
  check(!read({0x80, 0x80, 0x80, 0x80, 0x80, 0x01}), "six bytes");
}

// Offsets are 32 bits: rows beyond that are refused before anything is allocated for them.
void testTooManyBytes() {
  constexpr std::size_t kRowCount = 64;
  constexpr std::uint32_t kValueBytes = 1 << 20;
  std::vector<std::uint8_t> const data(kRowCount * kValueBytes);
  std::vector<std::uint8_t> lengths;
  for (std::size_t row = 0; row < kRowCount; row++) append(lengths, kValueBytes);
  FeatureType const type = {Shape::scalar, Scalar::bytes, EmbeddingStorage::f32, 0};
  WireColumn const column = {ColumnClass::var, ColumnClass::var, {}, data, lengths, false, {}};
  // All columns are the same memory.
  std::vector<WireColumn> const columns(64, column);
  RowLayout layout = {2, {}, std::nullopt, nullptr};
  for (std::uint32_t id = 0; id < columns.size(); id++) layout.features.push_back({id, type});
  SharedLayout const layouts[] = {share(layout)};
  std::vector<std::int64_t> const eventTimesUs(kRowCount);
  ProblemList problems(kRowCount, 10);
  bool isRefused = false;
  try {
    encodeRows(layouts, {columns, eventTimesUs, 7}, {1u << 31, kValueBytes, 0}, problems);
  } catch (std::length_error const&) {
    isRefused = true;
  }
  check(problems.empty() && isRefused, "rows of more than 4 GiB are refused");
}

// A column of numbers between two that vary, rows in another order and twice: nothing of one may
// land in another.
void testColumns() {
  Random random(2);
  std::vector<SharedLayout> const layouts = {share(everyTypeLayout(2))};
  RowDecoder const decoder = decoderOf(layouts);
  EncodedRows const rows = randomRows(layouts, 300, random);
  std::vector<std::uint32_t> outputs = everyRow(rows);
  std::ranges::reverse(outputs);
  outputs.insert(outputs.end(), {7, 7, 299});
  Decoded const decoded = decode(decoder, rows.bytes, rows.offsets, outputs);
  check(!decoded.isCorrupt() && !decoded.isTooLong, "rows decode");
  for (std::size_t index = 0; index < decoder.wanted().size(); index++) {
    std::uint8_t const* const bounds = &decoded.fixed[16 * index];
    std::size_t const end = loadLittle<std::uint32_t>(bounds + 12);
    for (std::size_t at = loadLittle<std::uint32_t>(bounds + 8); at < end; at++) {
      check(decoded.varying[at] == 'a', "every text is made of 'a'");
    }
  }
}

}  // namespace

int main() {
  testCuts();
  testVarints();
  testTooManyBytes();
  testColumns();
  std::puts("codec_row_test: ok");
}
