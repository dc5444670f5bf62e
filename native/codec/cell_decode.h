// Takes one cell's value out of a row, as plain rows have it, and puts it into a column.
//
// Safe on any bytes: every length is held against what is left of the row before it is used or
// anything is allocated for it. Lengths are not held against `limits.ts`: a bound lowered later
// must not turn stored rows corrupt.
#pragma once

#include "codec/bit_reader.h"
#include "codec/decoded_columns.h"
#include "codec/dictionary.h"
#include "codec/number_types.h"
#include "codec/row_cursor.h"

namespace larder::codec {

// A scale with its sign bit set or a full exponent: values would not be the same numbers
// everywhere.
inline bool isBadScale(std::uint32_t scaleBits) { return scaleBits >= 0x7f800000; }

template <typename N>
Corruption takeNumber(BitReader& from, typename N::Held& held) {
  std::uint64_t bits;
  if (!from.take(N::kStoredBits, bits)) return Corruption::truncatedValue;
  auto const stored = static_cast<typename N::Stored>(bits);
  if (!N::isValid(stored)) return Corruption::badBool;
  held = N::hold(stored);
  return Corruption::none;
}

inline void setNull(RowCursor const& row, DecodedColumn& column) {
  column.fixed.setStatus(row.place.output, CellStatus::nullValue);
}

template <typename Held>
void setNumber(RowCursor const& row, DecodedColumn& column, Held held) {
  column.fixed.setValue(row.place.output, held);
  column.fixed.setStatus(row.place.output, row.status);
}

template <typename N>
Corruption takeNumberCell(RowCursor& row, DecodedColumn& column) {
  typename N::Held held;
  Corruption const corruption = takeNumber<N>(row.reader, held);
  if (corruption == Corruption::none) setNumber(row, column, held);
  return corruption;
}

// A cell of varying parts: `take(parts, length)` appends them and sets the cell's length. What it
// appended is given up where it fails or the cell is not to be seen.
template <typename Take>
Corruption takeVaryingCell(RowCursor& row, DecodedColumn& column, Take take) {
  VaryingParts& parts = *column.varying;
  std::size_t const elementsBegin = parts.elements.byteCount();
  std::size_t const dataBegin = parts.data.byteCount();
  std::uint32_t length = 0;
  Corruption const corruption = take(parts, length);
  if (corruption != Corruption::none || !row.isShown || !column.isWanted) {
    parts.elements.shrinkTo(elementsBegin);
    parts.data.shrinkTo(dataBegin);
  } else {
    column.fixed.setValue(row.place.output, length);
    parts.cells[row.place.output] = {
        static_cast<std::uint32_t>(elementsBegin), static_cast<std::uint32_t>(dataBegin),
        static_cast<std::uint32_t>(parts.data.byteCount() - dataBegin)};
  }
  if (corruption == Corruption::none) column.fixed.setStatus(row.place.output, row.status);
  return corruption;
}

// A varint of at most 5 bytes and 32 bits that is as short as it can be.
Corruption takeLength(BitReader& from, std::uint32_t& length);

// So many bytes of text.
Corruption takeText(BitReader& from, std::size_t byteCount, VaryingParts& parts);

// A byte count and so many bytes, as an element of a list.
Corruption takeTextElement(BitReader& from, VaryingParts& parts);

// The text at an index of a dictionary.
Corruption takeDictionaryText(RowCursor& row, Dictionary const& dictionary, std::uint64_t index,
                              VaryingParts& parts, std::uint32_t& length);

// Multiplies the steps of an int8 embedding, which stand as floats at `elements`.
void scaleSteps(std::uint8_t* elements, std::size_t count, std::uint32_t scaleBits);

// A cell of any type.
Corruption takeCell(RowCursor& row, FeatureType const& type, DecodedColumn& column);

// A bit that says whether there is a value, then the value.
Corruption takeOptionalCell(RowCursor& row, FeatureType const& type, DecodedColumn& column);

}  // namespace larder::codec
