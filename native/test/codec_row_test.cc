// Rows alone: what was encoded decodes, a row cut anywhere is corrupt, and varints are minimal.
// Comparisons with the plain reference are in test/codec.test.ts.
#include <array>
#include <stdexcept>

#include "codec/column_gather.h"
#include "codec_example.h"

using namespace larder::codec;
using namespace larder::codec::test;

namespace {

constexpr Judge kPatient = {0, INT64_MAX, INT64_MAX};

FoundCells findIn(RowDecoder const& decoder, Bytes row) {
  std::array<std::uint32_t, 1> const starts = {0};
  std::array<std::uint32_t, 1> const lengths = {static_cast<std::uint32_t>(row.size())};
  std::array<std::uint8_t, 1> const states = {static_cast<std::uint8_t>(SlotState::row)};
  std::array<std::uint32_t, 1> const outputs = {0};
  return findCells(decoder, {row, starts, lengths, states}, kPatient, outputs);
}

void testCuts() {
  Random random(1);
  RowLayout const layout = everyTypeLayout(300);
  RowDecoder const decoder = decoderOf(layout);
  EncodedRows const rows = randomRows(layout, 1, random);
  // A copy of exactly the cut's bytes, so that the sanitizer sees a read beyond it.
  for (std::size_t byteCount = 0; byteCount <= rows.bytes.size(); byteCount++) {
    std::vector<std::uint8_t> const cut(rows.bytes.begin(), rows.bytes.begin() + byteCount);
    FoundCells const found = findIn(decoder, cut);
    bool const isWhole = byteCount == rows.bytes.size();
    check(found.corrupt.empty() == isWhole, "a cut at " + std::to_string(byteCount));
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
  RowLayout layout = {2, {}};
  for (std::uint32_t id = 0; id < columns.size(); id++) layout.features.push_back({id, type});
  std::vector<std::int64_t> const eventTimesUs(kRowCount);
  ProblemList problems(kRowCount, 10);
  bool isRefused = false;
  try {
    encodeRows(layout, {columns, eventTimesUs, 7}, {1u << 31, kValueBytes, 0}, problems);
  } catch (std::length_error const&) {
    isRefused = true;
  }
  check(problems.empty() && isRefused, "rows of more than 4 GiB are refused");
}

// A column of numbers between two that vary: nothing of one may land in another.
void testGather() {
  Random random(2);
  RowLayout const layout = everyTypeLayout(2);
  RowDecoder const decoder = decoderOf(layout);
  constexpr std::size_t kRowCount = 9;
  EncodedRows const rows = randomRows(layout, kRowCount, random);
  std::vector<std::uint32_t> starts(rows.offsets.begin(), rows.offsets.end() - 1);
  std::vector<std::uint32_t> lengths;
  std::vector<std::uint32_t> outputs;
  for (std::uint32_t row = 0; row < kRowCount; row++) {
    lengths.push_back(rows.offsets[row + 1] - rows.offsets[row]);
    outputs.push_back(kRowCount - 1 - row);
  }
  std::vector<std::uint8_t> const states(kRowCount, static_cast<std::uint8_t>(SlotState::row));
  FoundCells const found =
      findCells(decoder, {rows.bytes, starts, lengths, states}, kPatient, outputs);
  ColumnGatherer const gatherer(decoder, found, rows.bytes, true);
  std::size_t const columnCount = layout.features.size();
  std::vector<std::uint8_t> memory(kRowCount * (8 + 9 * columnCount));
  std::vector<std::uint32_t> valueOffsets;
  std::vector<std::uint32_t> statusOffsets;
  for (std::size_t index = 0; index < columnCount; index++) {
    valueOffsets.push_back(static_cast<std::uint32_t>(kRowCount * (8 + 8 * index)));
    statusOffsets.push_back(static_cast<std::uint32_t>(kRowCount * (8 + 8 * columnCount + index)));
  }
  auto const parts = gatherer.gatherFixed({memory.data(), 0, valueOffsets, statusOffsets});
  for (std::size_t index = 0; index < columnCount; index++) {
    std::vector<std::uint8_t> elements(parts[index].elementBytes);
    std::vector<std::uint8_t> data(parts[index].dataBytes);
    gatherer.gatherVarying(index, elements.data(), data.data());
    for (std::uint8_t const byte : data) check(byte == 'a', "every text is made of 'a'");
  }
}

}  // namespace

int main() {
  testCuts();
  testVarints();
  testTooManyBytes();
  testGather();
  std::puts("codec_row_test: ok");
}
