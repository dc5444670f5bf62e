// Cells that stand in rows as blocks: their bytes as plain rows have them, by LZ4 where that is
// less.
#pragma once

#include "codec/decoded_columns.h"
#include "codec/feature_coding.h"
#include "codec/row_cursor.h"

namespace larder::codec {

Corruption takeBlock(RowCursor& row, FeatureType const& type, FeatureCoding const& coding,
                     DecodedColumn& column);

}  // namespace larder::codec
