#include "codec/column_encode.h"

#include <algorithm>
#include <bit>

#include "codec/cell_values.h"
#include "codec/lz4_block.h"
#include "codec/symbol_values.h"

namespace larder::codec {

namespace {

// The cell's bytes as plain rows have them.
Bytes plainBytesOf(ColumnReader const& column, std::size_t cell, EncodeScratch& scratch) {
  scratch.plainBytes.resize(cellRowBytes(column, cell));
  CellCursor cursor = {cell, scratch.plainBytes.data()};
  writeCells(column, {&cursor, 1});
  return scratch.plainBytes;
}

void putOptional(RowWriter& row, ColumnReader const& column, EncodeScratch& scratch) {
  bool const isPresent = column.isPresent(row.row);
  row.bits.put(isPresent ? 1 : 0, 1);
  if (isPresent) row.bits.putBytes(plainBytesOf(column, row.row, scratch));
}

bool putNull(BitWriter& to, CodeTable const& table) {
  if (table.null() == nullptr) return false;
  putPrefix(to, *table.null());
  return true;
}

bool putLiteralPrefix(BitWriter& to, CodeTable const& table) {
  if (table.literal() == nullptr) return false;
  putPrefix(to, *table.literal());
  return true;
}

// Calls `put(row)` for each row that is no exception yet; it becomes one where that is false.
template <typename Put>
void eachRow(std::size_t featureIndex, ColumnReader const& column, std::span<RowWriter> rows,
             EncodeScratch& scratch, Put put) {
  for (RowWriter& row : rows) {
    if (row.isException(featureIndex)) {
      putOptional(row, column, scratch);
    } else if (!put(row)) {
      row.addException(featureIndex);
    }
  }
}

// Calls `put(row)` for each row that has a value; null ones are written by the table.
template <typename Put>
void eachPresentRow(std::size_t featureIndex, ColumnReader const& column, CodeTable const& table,
                    std::span<RowWriter> rows, EncodeScratch& scratch, Put put) {
  eachRow(featureIndex, column, rows, scratch, [&](RowWriter& row) {
    return column.isPresent(row.row) ? put(row) : putNull(row.bits, table);
  });
}

// A number as rows store it, by a class of the table; false where none has it.
template <typename N, typename Symbols>
[[gnu::always_inline]] inline bool putNumber(BitWriter& to, FeatureCoding const& coding,
                                             Symbols symbols, std::uint64_t storedBits) {
  auto const stored = static_cast<typename N::Stored>(storedBits);
  auto const [range, above] = symbols.find(coding.symbolFinder, stored);
  if (range != nullptr) [[likely]] {
    putCode(to, range->code, above);
    return true;
  }
  if (!putLiteralPrefix(to, coding.symbols)) return false;
  to.put(storedBits & BitReader::lowBits(N::kStoredBits), N::kStoredBits);
  return true;
}

void putCodedNumbers(FeatureCoding const& coding, std::size_t featureIndex,
                     ColumnReader const& column, std::span<RowWriter> rows,
                     EncodeScratch& scratch) {
  std::size_t const beginRow = rows.front().row;
  scratch.numbers.resize(rows.back().row + 1 - beginRow);
  loadScalars(column, beginRow, scratch.numbers);
  withSymbols(column.type(), coding.mapping, [&](auto number, auto symbols) {
    using N = decltype(number);
    eachPresentRow(featureIndex, column, coding.symbols, rows, scratch, [&](RowWriter& row) {
      return putNumber<N>(row.bits, coding, symbols, scratch.numbers[row.row - beginRow]);
    });
  });
}

bool putText(BitWriter& to, FeatureCoding const& coding, Bytes text) {
  auto const index = coding.mapping.dictionary.indexOf(text);
  if (index && putSymbol(to, coding.symbolFinder, static_cast<std::int64_t>(*index))) return true;
  if (!putLiteralPrefix(to, coding.symbols)) return false;
  std::uint8_t byteCount[5];
  std::uint8_t const* const end = storeVarint(byteCount, text.size());
  to.putBytes({byteCount, end});
  to.putBytes(text);
  return true;
}

void putPackedTexts(FeatureCoding const& coding, std::size_t featureIndex,
                    ColumnReader const& column, std::span<RowWriter> rows, EncodeScratch& scratch) {
  eachPresentRow(featureIndex, column, coding.lengths, rows, scratch, [&](RowWriter& row) {
    ElementRange const elements = column.elementsOf(row.row);
    auto const count = static_cast<std::int64_t>(elements.end - elements.begin);
    if (!putSymbol(row.bits, coding.lengthFinder, count)) return false;
    for (std::size_t at = elements.begin; at < elements.end; at++) {
      if (!putText(row.bits, coding, column.bytesAt(at))) return false;
    }
    return true;
  });
}

void putPackedNumbers(FeatureCoding const& coding, std::size_t featureIndex,
                      ColumnReader const& column, std::span<RowWriter> rows,
                      EncodeScratch& scratch) {
  FeatureType const& type = column.type();
  bool const isScaled = type.shape == Shape::embedding && type.storage == EmbeddingStorage::int8;
  withSymbols(type, coding.mapping, [&](auto number, auto symbols) {
    using N = decltype(number);
    eachPresentRow(featureIndex, column, coding.lengths, rows, scratch, [&](RowWriter& row) {
      float const scale = loadElements(column, row.row, scratch.numbers);
      auto const count = static_cast<std::int64_t>(scratch.numbers.size());
      // A copy, which nothing else can reach, stays in registers.
      BitWriter bits = row.bits;
      auto const [range, above] = coding.lengthFinder.find(count);
      if (range == nullptr) return false;
      putCode(bits, range->code, above);
      if (isScaled) bits.put(std::bit_cast<std::uint32_t>(scale), 32);
      for (std::uint64_t const storedBits : scratch.numbers) {
        if (!putNumber<N>(bits, coding, symbols, storedBits)) return false;
      }
      row.bits = bits;
      return true;
    });
  });
}

// By LZ4, if that takes fewer bits: the bit that says so, the size, the bytes. False if it does
// not.
bool putCompressed(BitWriter& to, Bytes value, EncodeScratch& scratch) {
  std::vector<std::uint8_t>& block = scratch.compressedBytes;
  compressLz4(value, block);
  if (block.empty()) return false;
  auto const sizeBits = static_cast<unsigned>(std::bit_width(value.size() - 1));
  if (8 * block.size() + sizeBits >= 8 * value.size()) return false;
  to.put(1, 1);
  to.put(block.size(), sizeBits);
  to.putBytes(block);
  return true;
}

void putBlocks(FeatureCoding const& coding, std::size_t featureIndex, ColumnReader const& column,
               std::span<RowWriter> rows, EncodeScratch& scratch) {
  bool const isText = column.type().shape == Shape::scalar;
  eachPresentRow(featureIndex, column, coding.lengths, rows, scratch, [&](RowWriter& row) {
    Bytes const value = isText ? column.bytesAt(row.row) : plainBytesOf(column, row.row, scratch);
    if (!putSymbol(row.bits, coding.lengthFinder, static_cast<std::int64_t>(value.size())))
      return false;
    if (coding.lz4BytesMin && value.size() >= *coding.lz4BytesMin) {
      if (putCompressed(row.bits, value, scratch)) return true;
      row.bits.put(0, 1);
    }
    row.bits.putBytes(value);
    return true;
  });
}

}  // namespace

void encodeFeature(FeatureCoding const& coding, std::size_t featureIndex,
                   ColumnReader const& column, std::span<RowWriter> rows, EncodeScratch& scratch) {
  bool const isDictionary = coding.mapping.kind == MappingKind::dictionary;
  switch (coding.kind) {
    case CodingKind::plain:
      return eachRow(featureIndex, column, rows, scratch, [&](RowWriter& row) {
        putOptional(row, column, scratch);
        return true;
      });
    case CodingKind::coded:
      if (!isDictionary) return putCodedNumbers(coding, featureIndex, column, rows, scratch);
      return eachPresentRow(
          featureIndex, column, coding.symbols, rows, scratch,
          [&](RowWriter& row) { return putText(row.bits, coding, column.bytesAt(row.row)); });
    case CodingKind::packedList:
      if (!isDictionary) return putPackedNumbers(coding, featureIndex, column, rows, scratch);
      return putPackedTexts(coding, featureIndex, column, rows, scratch);
    case CodingKind::block:
      return putBlocks(coding, featureIndex, column, rows, scratch);
  }
}

std::size_t elementBitsMax(FeatureCoding const& coding, ColumnReader const& column,
                           std::size_t cell) {
  if (coding.kind != CodingKind::packedList) return 0;
  ElementRange const elements = column.elementsOf(cell);
  std::size_t const perElement = std::max(coding.symbols.bitCountMax(), kPrefixBitsMax);
  return (elements.end - elements.begin) * perElement;
}

}  // namespace larder::codec
