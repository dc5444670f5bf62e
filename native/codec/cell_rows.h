// The cells that one feature has in many rows, and what all ways to decode them have in common.
#pragma once

#include <span>

#include "codec/cell_decode.h"

namespace larder::codec {

// The rows, and where the feature's mark stands.
struct CellRows {
  std::span<RowCursor> cursors;
  std::size_t featureIndex;
  std::size_t markBit;
};

// Calls `takeMarked` or `take` for each row, which tell the cell's corruption. Returns whether a
// row has any: it has its fault set.
template <typename TakeMarked, typename Take>
bool eachRow(CellRows const& rows, TakeMarked takeMarked, Take take) {
  std::size_t const markBit = rows.markBit;
  bool hasFault = false;
  for (RowCursor& row : rows.cursors) {
    Corruption const corruption = row.isMarked(markBit) ? takeMarked(row) : take(row);
    if (corruption == Corruption::none) [[likely]]
      continue;
    row.fault = {corruption, rows.featureIndex};
    hasFault = true;
  }
  return hasFault;
}

// Like `eachRow`, for features of learned rows: marked cells are exceptions.
template <typename Take>
bool eachLearned(CellRows const& rows, FeatureType const& type, DecodedColumn& column, Take take) {
  return eachRow(
      rows, [&](RowCursor& row) { return takeOptionalCell(row, type, column); }, take);
}

}  // namespace larder::codec
