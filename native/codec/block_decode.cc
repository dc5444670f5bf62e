#include "codec/block_decode.h"

#include <bit>
#include <vector>

#include "codec/cell_decode.h"
#include "codec/lz4_block.h"

namespace larder::codec {

namespace {

// A block as it stands in the row: what it is long, and what of that the row holds.
struct Block {
  std::uint64_t valueBytes;
  std::uint64_t storedBytes;
  bool isCompressed;
};

Corruption takeSizes(BitReader& from, FeatureCoding const& coding, Block& block) {
  block.isCompressed = false;
  block.storedBytes = block.valueBytes;
  if (coding.lz4BytesMin && block.valueBytes >= *coding.lz4BytesMin) {
    std::uint64_t bit;
    if (!from.take(1, bit)) return Corruption::truncatedValue;
    block.isCompressed = bit != 0;
  }
  if (block.isCompressed) {
    if (block.valueBytes == 0) return Corruption::badBlock;
    auto const sizeBits = static_cast<unsigned>(std::bit_width(block.valueBytes - 1));
    if (!from.take(sizeBits, block.storedBytes)) return Corruption::truncatedValue;
    bool const isPossible =
        block.storedBytes < block.valueBytes && block.valueBytes <= kLz4GainMax * block.storedBytes;
    if (!isPossible) return Corruption::badBlock;
  }
  return block.storedBytes <= from.left() / 8 ? Corruption::none : Corruption::truncatedValue;
}

// Writes the value's bytes to `to`, which has room for them. The row has the block.
bool takeBlockBytes(BitReader& from, Block const& block, std::uint8_t* to) {
  if (!block.isCompressed) return from.takeBytes(to, block.valueBytes);
  std::vector<std::uint8_t> compressed(block.storedBytes);
  from.takeBytes(compressed.data(), compressed.size());
  return decompressLz4(compressed, to, block.valueBytes);
}

Corruption takeTextBlock(RowCursor& row, Block const& block, DecodedColumn& column) {
  return takeVaryingCell(row, column, [&](VaryingParts& parts, std::uint32_t& length) {
    std::uint8_t* const to = parts.data.grow(block.valueBytes);
    if (to == nullptr) return Corruption::beyondBound;
    length = static_cast<std::uint32_t>(block.valueBytes);
    return takeBlockBytes(row.reader, block, to) ? Corruption::none : Corruption::badBlock;
  });
}

// Lists and embeddings are read from the block as from a row of their own.
Corruption takeListBlock(RowCursor& row, FeatureType const& type, Block const& block,
                         DecodedColumn& column) {
  std::vector<std::uint8_t> value(block.valueBytes + BitReader::kPaddingBytes);
  if (!takeBlockBytes(row.reader, block, value.data())) return Corruption::badBlock;
  RowCursor inner = row;
  inner.reader = BitReader(value.data(), block.valueBytes);
  Corruption const corruption = takeCell(inner, type, column);
  if (corruption != Corruption::none) return corruption;
  return inner.reader.left() == 0 ? Corruption::none : Corruption::badBlock;
}

}  // namespace

Corruption takeBlock(RowCursor& row, FeatureType const& type, FeatureCoding const& coding,
                     DecodedColumn& column) {
  Block block;
  auto const* const code = coding.lengths.reading().take(row.reader, block.valueBytes);
  if (code == nullptr) return Corruption::truncatedValue;
  if (code->kind == CodeKind::null) {
    setNull(row, column);
    return Corruption::none;
  }
  Corruption const corruption = takeSizes(row.reader, coding, block);
  if (corruption != Corruption::none) return corruption;
  if (!row.mayGrow(block.valueBytes)) return Corruption::tooLong;
  if (type.shape == Shape::scalar) return takeTextBlock(row, block, column);
  return takeListBlock(row, type, block, column);
}

}  // namespace larder::codec
