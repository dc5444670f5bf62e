// Rows that are being decoded: where each stands, and what is to become of it.
#pragma once

#include <vector>

#include "codec/bit_reader.h"
#include "codec/row_fault.h"
#include "codec/wire_column.h"

namespace larder::codec {

struct RowPlace {
  std::uint32_t slot;
  std::uint32_t output;  // the output row that it becomes
};

// What texts of dictionaries and blocks may come to in one row. Few bits can stand for many bytes;
// rows that are written hold far less.
inline constexpr std::size_t kRowGrownBytesMax = 4u << 20;

struct RowCursor {
  BitReader reader;  // what is left of the body
  // A bit per feature, from bit `markBegin` on: the set ones of a plain row, the exceptions of a
  // learned one. Null where no bit is set.
  std::uint8_t const* marks;
  RowPlace place;
  std::int64_t eventTimeUs;
  CellStatus status;       // of cells that have a value
  bool isShown;            // else its values are checked, and land nowhere
  RowFault fault;          // `none` for as long as nothing is wrong
  std::size_t grownBytes;  // texts of dictionaries and blocks so far

  // False where that is too much; asked before anything grows.
  bool mayGrow(std::size_t byteCount) {
    grownBytes += byteCount;
    return grownBytes <= kRowGrownBytesMax;
  }

  // Of a cell that may be null. Without a branch: nulls come by chance.
  CellStatus statusOf(bool isNull) const {
    unsigned const value = static_cast<unsigned>(status);
    unsigned const differing = value ^ static_cast<unsigned>(CellStatus::nullValue);
    return static_cast<CellStatus>(value ^ (differing & (0u - unsigned{isNull})));
  }
  bool isMarked(std::size_t bit) const {
    return marks != nullptr && ((marks[bit / 8] >> (bit % 8)) & 1) != 0;
  }
};

}  // namespace larder::codec
