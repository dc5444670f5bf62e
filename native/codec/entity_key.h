// Entity keys: one entity's join-key values as canonical bytes, typed, in declared order.
//
//   bool                        1 byte, 0 or 1
//   int8, int16, int32, int64   big-endian in the type's width, sign bit flipped
//   timestamp                   as int64
//   string, bytes, categorical  the bytes; unless it is the last, every 00 becomes 00 ff, and 00 01
//                               ends it
//
// Comparing keys byte by byte is comparing their values in order. Floats and lists are never join
// keys. Must never be changed: stored rows would be lost to their keys.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "codec/cell_problem.h"
#include "codec/cell_values.h"
#include "codec/wire_column.h"

namespace larder::codec {

struct EntityKeys {
  std::vector<std::uint8_t> bytes;
  std::vector<std::uint32_t> offsets;  // one more than there are rows
};

struct KeysToEncode {
  std::span<Scalar const> types;            // no floats
  std::span<WireColumn const> columns;      // `rowCount` cells each, or 1 that holds for every row
  std::span<std::size_t const> cellCounts;  // of each column: `rowCount` or 1
  std::size_t rowCount;
  std::size_t keyBytesMax;
};

// The keys, if `problems` stays empty.
EntityKeys encodeEntityKeys(KeysToEncode const& keys, ProblemList& problems);

// Which of the keys are equal. `slots[row]` is the number of the row's key in order of first use,
// `firstRows[slot]` the first row that has it.
struct DistinctKeys {
  std::vector<std::uint32_t> slots;
  std::vector<std::uint32_t> firstRows;
};

DistinctKeys dedupeKeys(Bytes bytes, std::span<std::uint32_t const> offsets);

}  // namespace larder::codec
