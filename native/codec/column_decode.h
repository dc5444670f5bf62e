// Decodes one feature of many rows of one layout into its column.
//
// Rows are independent of each other, so that a processor has several of them under way at once:
// that is why a batch is decoded a feature at a time.
#pragma once

#include <span>

#include "codec/decoded_columns.h"
#include "codec/row_cursor.h"
#include "codec/row_layout.h"

namespace larder::codec {

// Takes the feature at `featureIndex` out of each row, and moves the rows' readers behind it. A row
// that turns out corrupt has its fault set. Returns whether any has.
bool decodeFeature(RowLayout const& layout, std::size_t featureIndex, std::span<RowCursor> rows,
                   DecodedColumn& column);

}  // namespace larder::codec
