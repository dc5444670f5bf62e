// Finds the values in a row of a known layout, and whether the bytes are a row of it at all.
//
// Safe on any bytes: every length is checked against what is left of the row before it is used, and
// nothing is allocated. Lengths are not held against `limits.ts`: a bound lowered later must not
// turn stored rows corrupt. What was checked here is read without checks afterwards.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "codec/bytes.h"
#include "codec/row_layout.h"

namespace larder::codec {

// Why bytes are not a row of their layout.
enum class Corruption : std::uint8_t {
  truncatedHeader,
  badLayoutId,
  presencePadding,
  truncatedValue,
  badLength,
  badBool,
  badScale,
  trailingBytes,
};

struct RowFault {
  Corruption corruption;
  // Of the value that is wrong, its place in the layout; the number of features otherwise.
  std::size_t featureIndex;
};

// What is wrong, in words; names the feature's id.
std::string describeFault(RowFault fault, RowLayout const* layout);

// A row's first bytes. `versionOffset` is where event time and sequence stand.
struct RowHeader {
  std::uint32_t layoutId;
  std::size_t versionOffset;
};

// Reads a varint of at most 5 bytes and 32 bits that is as short as it can be, and moves `offset`
// behind it; nothing where there is none.
std::optional<std::uint32_t> readVarint(Bytes bytes, std::size_t& offset);

// The layout id alone, which may be one that is not known here: the rest is then not looked at.
std::optional<RowHeader> readHeader(Bytes row, RowFault& fault);

std::int64_t eventTimeOf(Bytes row, RowHeader const& header);

// A tombstone or fence is its header and its version and nothing else.
std::optional<RowFault> checkVersionOnlyRow(Bytes row, RowHeader const& header);

// Sets `valueOffsets[i]` to where feature i's value starts in the row, 0 where it is null. The row
// has the layout's id.
std::optional<RowFault> findValues(Bytes row, RowHeader const& header, RowLayout const& layout,
                                   std::span<std::uint32_t> valueOffsets);

}  // namespace larder::codec
