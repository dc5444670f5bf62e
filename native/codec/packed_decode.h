// Decodes one feature of many rows that is written as a packed list: a length, then elements coded
// one by one.
#pragma once

#include "codec/cell_rows.h"
#include "codec/feature_coding.h"

namespace larder::codec {

// Like `decodeFeature`, of a feature whose coding is `packedList`.
bool decodePacked(CellRows const& rows, FeatureType const& type, FeatureCoding const& coding,
                  DecodedColumn& column);

}  // namespace larder::codec
