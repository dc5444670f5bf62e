// Encodes a batch: columns in, rows out, all or nothing.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "codec/cell_problem.h"
#include "codec/cell_values.h"
#include "codec/row_layout.h"
#include "codec/wire_column.h"

namespace larder::codec {

struct RowsToEncode {
  std::span<WireColumn const> columns;  // in layout order
  std::span<std::int64_t const> eventTimesUs;
  std::uint64_t sequence;
};

struct EncodedRows {
  std::vector<std::uint8_t> bytes;
  std::vector<std::uint32_t> offsets;  // one more than there are rows
};

using RowLayouts = std::span<std::shared_ptr<RowLayout const> const>;

// The rows, if `problems` stays empty, each in the first layout that its version fits. The layouts
// have the same features in the same order; the last is plain and its versions are full. The caller
// has a column for each feature. Throws length_error where all rows together pass 4 GiB: a message
// is far smaller.
EncodedRows encodeRows(RowLayouts layouts, RowsToEncode const& rows, ValueLimits const& limits,
                       ProblemList& problems);

}  // namespace larder::codec
