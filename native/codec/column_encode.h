// Encodes one feature of many rows of a learned layout, from its column.
//
// What a coding cannot hold is an exception of its row. A row is first written as if it had none;
// it is written once more where exceptions were found, since the row says in front which they are.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "codec/bit_writer.h"
#include "codec/row_layout.h"
#include "codec/wire_column.h"

namespace larder::codec {

// A row that is being written.
struct RowWriter {
  std::size_t row;  // its cell in each column
  BitWriter bits;
  std::uint8_t* exceptions;  // a bit per feature
  bool hasExceptions;

  bool isException(std::size_t featureIndex) const {
    return hasExceptions && ((exceptions[featureIndex / 8] >> (featureIndex % 8)) & 1) != 0;
  }
  void addException(std::size_t featureIndex) {
    hasExceptions = true;
    exceptions[featureIndex / 8] |= static_cast<std::uint8_t>(1u << (featureIndex % 8));
  }
};

// Memory that is used again from one column to the next.
struct EncodeScratch {
  std::vector<std::uint64_t> numbers;
  std::vector<std::uint8_t> plainBytes;
  std::vector<std::uint8_t> compressedBytes;
};

// Writes the feature's cell of each row, which has been checked, and marks what it cannot write.
// `rows` rise.
void encodeFeature(FeatureCoding const& coding, std::size_t featureIndex,
                   ColumnReader const& column, std::span<RowWriter> rows, EncodeScratch& scratch);

// The most bits that the elements of the cell take beyond their plain bytes.
std::size_t elementBitsMax(FeatureCoding const& coding, ColumnReader const& column,
                           std::size_t cell);

// The most bits that any cell takes beyond its plain bytes and its elements.
inline constexpr std::size_t kCellBitsMax = 128;

}  // namespace larder::codec
