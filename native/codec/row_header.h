// A row's first bytes: the id of its layout, and its version.
#pragma once

#include <cstdint>
#include <optional>

#include "codec/bytes.h"
#include "codec/row_fault.h"
#include "codec/row_layout.h"

namespace larder::codec {

// `versionOffset` is where the version starts.
struct RowHeader {
  std::uint32_t layoutId;
  std::size_t versionOffset;
};

// Reads a varint of at most 5 bytes and 32 bits that is as short as it can be, and moves `offset`
// behind it; nothing where there is none.
std::optional<std::uint32_t> readVarint(Bytes bytes, std::size_t& offset);

// The layout id alone, which may be one that is not known here: the rest is then not looked at.
std::optional<RowHeader> readHeader(Bytes row, Corruption& corruption);

// A tombstone or fence is its header and its version and nothing else.
Corruption checkVersionOnlyRow(Bytes row, RowHeader const& header);

// The row's event time; the row has the layout's id, and its version is whole.
std::int64_t eventTimeOf(Bytes row, RowHeader const& header, RowLayout const& layout);

// Writes layout id and version, which fits the layout. Returns the byte behind them.
std::uint8_t* writeHeader(RowLayout const& layout, std::int64_t eventTimeUs, std::uint64_t sequence,
                          std::uint8_t* to);

}  // namespace larder::codec
