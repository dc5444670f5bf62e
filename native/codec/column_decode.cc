#include "codec/column_decode.h"

#include <algorithm>

#include "codec/block_decode.h"
#include "codec/cell_decode.h"
#include "codec/symbol_values.h"

namespace larder::codec {

namespace {

// The rows, and where the feature's mark stands.
struct Rows {
  std::span<RowCursor> cursors;
  std::size_t featureIndex;
  std::size_t markBit;
};

// Calls `takeMarked` or `take` for each row: the cell's corruption.
template <typename TakeMarked, typename Take>
bool eachRow(Rows const& rows, TakeMarked takeMarked, Take take) {
  bool hasFault = false;
  for (RowCursor& row : rows.cursors) {
    Corruption const corruption = row.isMarked(rows.markBit) ? takeMarked(row) : take(row);
    if (corruption == Corruption::none) [[likely]]
      continue;
    row.fault = {corruption, rows.featureIndex};
    hasFault = true;
  }
  return hasFault;
}

// A bit that says whether there is a value, then the value as plain rows have it.
Corruption takeOptionalCell(RowCursor& row, FeatureType const& type, DecodedColumn& column) {
  std::uint64_t isSet;
  if (!row.reader.take(1, isSet)) return Corruption::truncatedValue;
  if (isSet != 0) return takeCell(row, type, column);
  setNull(row, column);
  return Corruption::none;
}

bool isNumber(FeatureType const& type) {
  return type.shape == Shape::scalar && rowBytesOf(type.scalar).has_value();
}

bool decodePlain(Rows const& rows, FeatureType const& type, DecodedColumn& column) {
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

// Like `eachRow`, for features of learned rows: marked cells are exceptions.
template <typename Take>
bool eachLearned(Rows const& rows, FeatureType const& type, DecodedColumn& column, Take take) {
  return eachRow(
      rows, [&](RowCursor& row) { return takeOptionalCell(row, type, column); }, take);
}

bool decodeCodedNumbers(Rows const& rows, FeatureType const& type, FeatureCoding const& coding,
                        DecodedColumn& column) {
  CodeTable const& table = coding.symbols;
  return withSymbols(type, coding.mapping, [&](auto number, auto symbols) {
    using N = decltype(number);
    return eachLearned(rows, type, column, [&](RowCursor& row) {
      CodeTable::Code code;
      std::uint64_t symbol;
      if (!table.take(row.reader, code, symbol)) return Corruption::truncatedValue;
      if (code.kind == CodeKind::literal) [[unlikely]]
        return takeNumberCell<N>(row, column);
      typename N::Held held;
      if (!symbols.value(code, symbol, held)) return Corruption::badSymbol;
      // Null is the symbol 0, hence the value 0.
      bool const isNull = code.kind == CodeKind::null;
      column.setValue(row.output, held);
      column.setStatus(row.output, isNull ? CellStatus::nullValue : row.status);
      return Corruption::none;
    });
  });
}

Corruption takeDictionaryText(Dictionary const& dictionary, std::uint64_t index,
                              VaryingParts& parts, std::uint32_t& length) {
  if (index >= dictionary.valueCount()) return Corruption::badSymbol;
  Bytes const value = dictionary.valueAt(index);
  std::uint8_t* const to = parts.data.grow(value.size());
  if (to == nullptr) return Corruption::beyondBound;
  storeBytes(to, value);
  length = static_cast<std::uint32_t>(value.size());
  return Corruption::none;
}

bool decodeCodedTexts(Rows const& rows, FeatureType const& type, FeatureCoding const& coding,
                      DecodedColumn& column) {
  return eachLearned(rows, type, column, [&](RowCursor& row) {
    CodeTable::Code code;
    std::uint64_t symbol;
    if (!coding.symbols.take(row.reader, code, symbol)) return Corruption::truncatedValue;
    if (code.kind == CodeKind::literal) return takeCell(row, type, column);
    if (code.kind == CodeKind::null) {
      setNull(row, column);
      return Corruption::none;
    }
    return takeVaryingCell(row, column, [&](VaryingParts& parts, std::uint32_t& length) {
      return takeDictionaryText(coding.mapping.dictionary, symbol, parts, length);
    });
  });
}

// The element count is one that the row may have: what is allocated for it stays in proportion.
Corruption checkCount(BitReader const& from, FeatureCoding const& coding, std::uint64_t count) {
  constexpr std::uint64_t kFreeElementsMax = 65'536;
  bool const fits = coding.elementBitsMin == 0 ? count <= kFreeElementsMax
                                               : count <= from.left() / coding.elementBitsMin;
  return fits ? Corruption::none : Corruption::truncatedValue;
}

// One element, whatever its code.
template <typename N, typename Symbols>
Corruption takeElement(BitReader& from, CodeTable const& table, Symbols symbols,
                       typename N::Held& held) {
  CodeTable::Code code;
  std::uint64_t symbol;
  if (!table.take(from, code, symbol)) return Corruption::truncatedValue;
  if (code.kind == CodeKind::literal) return takeNumber<N>(from, held);
  return symbols.value(code, symbol, held) ? Corruption::none : Corruption::badSymbol;
}

// As many elements as one peek surely has, up to `count` and up to one that needs more care: a
// literal, or a symbol that stands for nothing. `codeAt(window)` is the next code. Returns how
// many.
template <typename N, typename Symbols, typename CodeAt>
std::size_t takeElements(BitReader& from, Symbols symbols, std::size_t count, CodeAt codeAt,
                         std::uint8_t* to) {
  std::uint64_t window = from.peek();
  std::size_t usedBits = 0;
  std::size_t taken = 0;
  for (; taken < count; taken++) {
    CodeTable::Code const code = codeAt(window);
    typename N::Held held;
    bool const isValue = code.kind != CodeKind::literal &&
                         symbols.value(code, CodeTable::symbolAt(window, code), held);
    if (!isValue) [[unlikely]]
      break;
    to = storeLittle(to, held);
    window >>= code.bitCount();
    usedBits += code.bitCount();
  }
  return from.skip(usedBits) ? taken : 0;
}

template <typename N, typename Symbols, typename CodeAt>
Corruption takeAllElements(BitReader& reader, CodeTable const& table, Symbols symbols,
                           std::size_t count, CodeAt codeAt, std::uint8_t* to) {
  BitReader from = reader;
  for (std::size_t left = count; left > 0;) {
    std::size_t const taken =
        takeElements<N>(from, symbols, std::min(left, table.codesPerPeek()), codeAt, to);
    to += taken * sizeof(typename N::Held);
    left -= taken;
    if (taken > 0) continue;
    typename N::Held held;
    auto const corruption = takeElement<N>(from, table, symbols, held);
    if (corruption != Corruption::none) return corruption;
    to = storeLittle(to, held);
    left--;
  }
  reader = from;
  return Corruption::none;
}

template <typename N, typename Symbols>
Corruption takePackedNumbers(BitReader& reader, FeatureCoding const& coding, Symbols symbols,
                             std::size_t count, GrowingBytes& elements) {
  CodeTable const& table = coding.symbols;
  std::uint8_t* const to = elements.grow(count * sizeof(typename N::Held));
  if (to == nullptr) return Corruption::beyondBound;
  // With one code only, an element does not wait for the one before it.
  if (table.codes().size() == 1) {
    auto const codeAt = [code = table.codes()[0]](std::uint64_t) { return code; };
    return takeAllElements<N>(reader, table, symbols, count, codeAt, to);
  }
  auto const codeAt = [&](std::uint64_t window) { return table.codeAt(window); };
  return takeAllElements<N>(reader, table, symbols, count, codeAt, to);
}

Corruption takePackedTexts(BitReader& from, FeatureCoding const& coding, std::size_t count,
                           VaryingParts& parts) {
  for (std::size_t index = 0; index < count; index++) {
    CodeTable::Code code;
    std::uint64_t symbol;
    if (!coding.symbols.take(from, code, symbol)) return Corruption::truncatedValue;
    Corruption corruption;
    if (code.kind == CodeKind::literal) {
      corruption = takeTextElement(from, parts);
    } else {
      std::uint32_t byteCount;
      corruption = takeDictionaryText(coding.mapping.dictionary, symbol, parts, byteCount);
      if (corruption != Corruption::none) return corruption;
      std::uint8_t* const length = parts.elements.grow(sizeof byteCount);
      if (length == nullptr) return Corruption::beyondBound;
      storeLittle(length, byteCount);
    }
    if (corruption != Corruption::none) return corruption;
  }
  return Corruption::none;
}

// Calls `takeElements(row, count, parts)` for each cell that has a value.
template <typename TakeElements>
bool decodePackedLists(Rows const& rows, FeatureType const& type, FeatureCoding const& coding,
                       DecodedColumn& column, TakeElements takeElements) {
  return eachLearned(rows, type, column, [&](RowCursor& row) {
    CodeTable::Code code;
    std::uint64_t count;
    if (!coding.lengths.take(row.reader, code, count)) return Corruption::truncatedValue;
    if (code.kind == CodeKind::null) {
      setNull(row, column);
      return Corruption::none;
    }
    if (type.shape == Shape::embedding && count != type.dim) return Corruption::badDim;
    Corruption const corruption = checkCount(row.reader, coding, count);
    if (corruption != Corruption::none) return corruption;
    return takeVaryingCell(row, column, [&](VaryingParts& parts, std::uint32_t& length) {
      length = static_cast<std::uint32_t>(count);
      return takeElements(row, count, parts);
    });
  });
}

bool decodePacked(Rows const& rows, FeatureType const& type, FeatureCoding const& coding,
                  DecodedColumn& column) {
  if (coding.mapping.kind == MappingKind::dictionary) {
    return decodePackedLists(rows, type, coding, column,
                             [&](RowCursor& row, std::size_t count, VaryingParts& parts) {
                               return takePackedTexts(row.reader, coding, count, parts);
                             });
  }
  bool const isScaled = type.shape == Shape::embedding && type.storage == EmbeddingStorage::int8;
  return withSymbols(type, coding.mapping, [&](auto number, auto symbols) {
    using N = decltype(number);
    return decodePackedLists(
        rows, type, coding, column, [&](RowCursor& row, std::size_t count, VaryingParts& parts) {
          std::uint64_t scaleBits = 0;
          if (isScaled && !row.reader.take(32, scaleBits)) return Corruption::truncatedValue;
          auto const scale = static_cast<std::uint32_t>(scaleBits);
          if (isBadScale(scale)) return Corruption::badScale;
          std::size_t const begin = parts.elements.byteCount();
          Corruption const corruption =
              takePackedNumbers<N>(row.reader, coding, symbols, count, parts.elements);
          if (isScaled && corruption == Corruption::none) {
            scaleSteps(parts.elements.data() + begin, count, scale);
          }
          return corruption;
        });
  });
}

}  // namespace

bool decodeFeature(RowLayout const& layout, std::size_t featureIndex, std::span<RowCursor> cursors,
                   DecodedColumn& column) {
  FeatureType const& type = layout.features[featureIndex].type;
  if (!layout.codings) return decodePlain({cursors, featureIndex, featureIndex}, type, column);
  // The first bit of a learned body says whether marks follow.
  Rows const rows = {cursors, featureIndex, featureIndex + 1};
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
