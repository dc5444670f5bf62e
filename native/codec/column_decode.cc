#include "codec/column_decode.h"

#include "codec/block_decode.h"
#include "codec/cell_rows.h"
#include "codec/packed_decode.h"
#include "codec/symbol_values.h"

namespace larder::codec {

namespace {

bool isNumber(FeatureType const& type) {
  return type.shape == Shape::scalar && rowBytesOf(type.scalar).has_value();
}

bool decodePlain(CellRows const& rows, FeatureType const& type, DecodedColumn& column) {
  auto const takeNothing = [&](RowCursor& row) {
    setNull(row, column);
    return Corruption::none;
  };
  if (!isNumber(type)) {
    return eachRow(
        rows, [&](RowCursor& row) { return takeCell(row, type, column); }, takeNothing);
  }
  return withNumber(type, [&](auto number) {
    using N = decltype(number);
    return eachRow(
        rows, [&](RowCursor& row) { return takeNumberCell<N>(row, column); }, takeNothing);
  });
}

// A number whose code is not a plain one, or that has no value.
template <typename N, typename Symbols>
Corruption takeCodedNumber(RowCursor& row, CodeTable const& table, Symbols symbols,
                           DecodedColumn& column) {
  std::uint64_t symbol;
  auto const* const code = table.reading().take(row.reader, symbol);
  if (code == nullptr) return Corruption::truncatedValue;
  if (code->kind == CodeKind::literal) return takeNumberCell<N>(row, column);
  typename N::Held held;
  if (!symbols.value(*code, symbol, held)) return Corruption::badSymbol;
  setNumber(row, column, held);
  return Corruption::none;
}

bool decodeCodedNumbers(CellRows const& rows, FeatureType const& type, FeatureCoding const& coding,
                        DecodedColumn& column) {
  return withSymbols(type, coding.mapping, [&](auto number, auto symbols) {
    using N = decltype(number);
    // Copies that no store can change.
    CodeTable::Reading const reading = coding.symbols.reading();
    FixedPart const fixed = column.fixed;
    return eachLearned(rows, type, column, [&, reading, fixed](RowCursor& row) {
      std::uint64_t const window = row.reader.peek();
      CodeTable::ReadCode const& code = reading.codeAt(window);
      typename N::Held held;
      bool const isTaken = code.isPlain && symbols.value(code, code.symbolIn(window), held) &&
                           row.reader.skip(code.bitCount);
      if (!isTaken) [[unlikely]]
        return takeCodedNumber<N>(row, coding.symbols, symbols, column);
      // Null is the symbol 0, hence the value 0.
      bool const isNull = code.kind == CodeKind::null;
      fixed.setValue(row.place.output, held);
      fixed.setStatus(row.place.output, row.statusOf(isNull));
      return Corruption::none;
    });
  });
}

bool decodeCodedTexts(CellRows const& rows, FeatureType const& type, FeatureCoding const& coding,
                      DecodedColumn& column) {
  return eachLearned(rows, type, column, [&](RowCursor& row) {
    std::uint64_t symbol;
    auto const* const code = coding.symbols.reading().take(row.reader, symbol);
    if (code == nullptr) return Corruption::truncatedValue;
    if (code->kind == CodeKind::literal) return takeCell(row, type, column);
    if (code->kind == CodeKind::null) {
      setNull(row, column);
      return Corruption::none;
    }
    return takeVaryingCell(row, column, [&](VaryingParts& parts, std::uint32_t& length) {
      return takeDictionaryText(row, coding.mapping.dictionary, symbol, parts, length);
    });
  });
}

}  // namespace

bool decodeFeature(RowLayout const& layout, std::size_t featureIndex, std::span<RowCursor> cursors,
                   DecodedColumn& column) {
  FeatureType const& type = layout.features[featureIndex].type;
  if (!layout.codings) return decodePlain({cursors, featureIndex, featureIndex}, type, column);
  // The first bit of a learned body says whether marks follow.
  CellRows const rows = {cursors, featureIndex, featureIndex + 1};
  FeatureCoding const& coding = (*layout.codings)[featureIndex];
  switch (coding.kind) {
    case CodingKind::plain:
      return eachLearned(rows, type, column,
                         [&](RowCursor& row) { return takeOptionalCell(row, type, column); });
    case CodingKind::coded:
      return isNumber(type) ? decodeCodedNumbers(rows, type, coding, column)
                            : decodeCodedTexts(rows, type, coding, column);
    case CodingKind::packedList:
      return decodePacked(rows, type, coding, column);
    case CodingKind::block:
      return eachLearned(rows, type, column,
                         [&](RowCursor& row) { return takeBlock(row, type, coding, column); });
  }
  __builtin_unreachable();
}

}  // namespace larder::codec
