// What the codec's plain C++ tests share: a check, a generator, a layout of every kind of type with
// rows of it, and rows decoded.
#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "codec/row_decode.h"
#include "codec/row_encode.h"

namespace larder::codec::test {

// Ends the program, so that a failing check cannot be overlooked.
inline void check(bool holds, std::string const& what) {
  if (holds) return;
  std::fprintf(stderr, "check failed: %s\n", what.c_str());
  std::exit(1);
}

// splitmix64
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next() {
    std::uint64_t mixed = state_ += 0x9e3779b97f4a7c15;
    mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9;
    mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111eb;
    return mixed ^ (mixed >> 31);
  }
  std::size_t below(std::size_t bound) { return static_cast<std::size_t>(next() % bound); }

 private:
  std::uint64_t state_;
};

inline constexpr ValueLimits kLimits = {1 << 20, 1 << 18, 1 << 16};
inline constexpr Scalar kEveryScalar[] = {
    Scalar::boolean,   Scalar::int8,        Scalar::int16,   Scalar::int32,
    Scalar::int64,     Scalar::float32,     Scalar::float64, Scalar::string,
    Scalar::timestamp, Scalar::categorical, Scalar::bytes,
};

// Every scalar, a list of every scalar, an embedding of every storage.
inline RowLayout everyTypeLayout(std::uint32_t layoutId) {
  RowLayout layout = {layoutId, {}, std::nullopt, nullptr};
  auto const add = [&](FeatureType const& type) {
    layout.features.push_back({static_cast<std::uint32_t>(layout.features.size()), type});
  };
  for (Scalar const scalar : kEveryScalar) add({Shape::scalar, scalar, EmbeddingStorage::f32, 0});
  for (Scalar const scalar : kEveryScalar) add({Shape::list, scalar, EmbeddingStorage::f32, 0});
  for (auto const storage :
       {EmbeddingStorage::f32, EmbeddingStorage::f16, EmbeddingStorage::int8}) {
    add({Shape::embedding, Scalar::float32, storage, 3});
  }
  return layout;
}

// The memory behind a column of small values: all are 0 or 1, texts are "a" or empty.
struct OwnedColumn {
  std::vector<std::uint8_t> listLengths;
  std::vector<std::uint8_t> data;
  std::vector<std::uint8_t> lengths;
  std::vector<std::uint8_t> status;

  WireColumn view(FeatureType const& type) const {
    return {
        columnClassOf(type), elementClassOf(type.scalar), listLengths, data, lengths, true, status};
  }
};

template <typename T>
void append(std::vector<std::uint8_t>& bytes, T value) {
  bytes.resize(bytes.size() + sizeof(T));
  storeLittle(bytes.data() + bytes.size() - sizeof(T), value);
}

inline void appendElement(OwnedColumn& column, ColumnClass elementClass, bool isOne) {
  switch (elementClass) {
    case ColumnClass::f32:
      return append(column.data, isOne ? 1.0f : 0.0f);
    case ColumnClass::f64:
      return append(column.data, isOne ? 1.0 : 0.0);
    case ColumnClass::i64:
      return append(column.data, std::int64_t{isOne});
    case ColumnClass::var:
    case ColumnClass::list:
      if (isOne) column.data.push_back('a');
      return append(column.lengths, std::uint32_t{isOne});
  }
}

inline OwnedColumn randomColumn(FeatureType const& type, std::size_t rowCount, Random& random) {
  OwnedColumn column;
  ColumnClass const elementClass = elementClassOf(type.scalar);
  for (std::size_t row = 0; row < rowCount; row++) {
    bool const isNull = random.below(8) == 0;
    column.status.push_back(isNull ? 2 : 1);
    if (type.shape == Shape::scalar) {
      appendElement(column, elementClass, !isNull && random.below(2) == 1);
      continue;
    }
    std::size_t count = type.shape == Shape::embedding ? type.dim : random.below(5);
    if (isNull) count = 0;
    append(column.listLengths, static_cast<std::uint32_t>(count));
    for (; count > 0; count--) appendElement(column, elementClass, random.below(2) == 1);
  }
  return column;
}

using SharedLayout = std::shared_ptr<RowLayout const>;

// Rows of the layouts' features, each in the first layout that it fits.
inline EncodedRows randomRows(std::vector<SharedLayout> const& layouts, std::size_t rowCount,
                              Random& random) {
  std::vector<OwnedColumn> owned;
  std::vector<WireColumn> columns;
  for (LayoutFeature const& feature : layouts.back()->features) {
    owned.push_back(randomColumn(feature.type, rowCount, random));
  }
  for (std::size_t index = 0; index < owned.size(); index++) {
    columns.push_back(owned[index].view(layouts.back()->features[index].type));
  }
  std::vector<std::int64_t> const eventTimesUs(rowCount, 1'000'000);
  ProblemList problems(rowCount, 10);
  EncodedRows rows = encodeRows(layouts, {columns, eventTimesUs, 7}, kLimits, problems);
  check(problems.empty(), problems.empty() ? "" : problems.told()[0].reason);
  return rows;
}

inline SharedLayout share(RowLayout layout) {
  return std::make_shared<RowLayout const>(std::move(layout));
}

inline RowDecoder decoderOf(std::vector<SharedLayout> const& layouts) {
  std::vector<WantedFeature> wanted;
  for (LayoutFeature const& feature : layouts.back()->features) {
    wanted.push_back({feature.id, feature.type});
  }
  return RowDecoder(layouts, wanted);
}

// What a decode gives: the memory of all columns, and what was found wrong.
struct Decoded {
  std::vector<std::uint8_t> fixed;
  std::vector<std::uint8_t> varying;
  Findings findings;
  bool isTooLong;

  bool isCorrupt() const { return !findings.corrupt.empty(); }
};

inline constexpr Judge kPatient = {0, INT64_MAX, INT64_MAX, true};

// Decodes rows, one slot each, into memory of exactly the sizes that it needs.
inline Decoded decode(RowDecoder const& decoder, Bytes bytes,
                      std::span<std::uint32_t const> offsets,
                      std::span<std::uint32_t const> outputs, Judge const& judge = kPatient) {
  std::vector<std::uint32_t> starts(offsets.begin(), offsets.end() - 1);
  std::vector<std::uint32_t> lengths;
  for (std::size_t row = 0; row < starts.size(); row++) {
    lengths.push_back(offsets[row + 1] - offsets[row]);
  }
  std::vector<std::uint8_t> const states(starts.size(), static_cast<std::uint8_t>(SlotState::row));
  Decoded decoded = {};
  decoded.fixed.resize(fixedBytesOf(decoder.wanted(), outputs.size()));
  DecodedColumns columns(decoder.wanted(), outputs.size(), decoded.fixed.data(), 1 << 25);
  decoded.findings = decodeRows(decoder, {bytes, starts, lengths, states}, judge, outputs, columns);
  auto const varyingBytes = columns.layOutVarying();
  decoded.isTooLong = !varyingBytes;
  decoded.varying.resize(varyingBytes.value_or(0));
  if (varyingBytes) columns.fillVarying(decoded.varying.data());
  return decoded;
}

// One row, copied to memory of exactly its bytes, so that a sanitizer sees a read beyond it.
inline Decoded decodeOne(RowDecoder const& decoder, std::vector<std::uint8_t> const& row,
                         Judge const& judge = kPatient) {
  std::vector<std::uint8_t> const exact(row.begin(), row.end());
  std::uint32_t const offsets[] = {0, static_cast<std::uint32_t>(exact.size())};
  std::uint32_t const outputs[] = {0};
  return decode(decoder, exact, offsets, outputs, judge);
}

inline std::vector<std::uint32_t> everyRow(EncodedRows const& rows) {
  std::vector<std::uint32_t> outputs;
  for (std::uint32_t row = 0; row + 1 < rows.offsets.size(); row++) outputs.push_back(row);
  return outputs;
}

inline std::vector<std::uint8_t> rowAt(EncodedRows const& rows, std::size_t row) {
  return {rows.bytes.begin() + rows.offsets[row], rows.bytes.begin() + rows.offsets[row + 1]};
}

}  // namespace larder::codec::test
