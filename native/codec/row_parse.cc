#include "codec/row_parse.h"

namespace larder::codec {

namespace {

constexpr std::size_t kVarintBytesMax = 5;

// A walk through a row's values. Each step moves `offset` behind what it checked.
struct Walk {
  Bytes row;
  std::size_t offset;

  std::size_t left() const { return row.size() - offset; }
};

using Step = std::optional<Corruption>;

Step skip(Walk& walk, std::size_t byteCount) {
  if (byteCount > walk.left()) return Corruption::truncatedValue;
  walk.offset += byteCount;
  return std::nullopt;
}

Step skipBools(Walk& walk, std::size_t count) {
  std::size_t const begin = walk.offset;
  if (auto const corruption = skip(walk, count)) return corruption;
  for (std::size_t at = begin; at < walk.offset; at++) {
    if (walk.row[at] > 1) return Corruption::badBool;
  }
  return std::nullopt;
}

Step readLength(Walk& walk, std::size_t& length) {
  auto const value = readVarint(walk.row, walk.offset);
  if (!value) return Corruption::badLength;
  length = *value;
  return std::nullopt;
}

Step skipSized(Walk& walk) {
  std::size_t byteCount = 0;
  if (auto const corruption = readLength(walk, byteCount)) return corruption;
  return skip(walk, byteCount);
}

Step skipScalars(Walk& walk, Scalar scalar, std::size_t count) {
  if (scalar == Scalar::boolean) return skipBools(walk, count);
  auto const fixedBytes = rowBytesOf(scalar);
  if (fixedBytes) return skip(walk, *fixedBytes * count);
  // Each takes a byte at least, so that a count beyond what is left ends here soon.
  for (std::size_t index = 0; index < count; index++) {
    if (auto const corruption = skipSized(walk)) return corruption;
  }
  return std::nullopt;
}

Step skipEmbedding(Walk& walk, FeatureType const& type) {
  std::size_t const begin = walk.offset;
  if (auto const corruption = skip(walk, embeddingRowBytes(type))) return corruption;
  // A sign bit or a full exponent: values would not be the same numbers on every machine.
  bool const isScaled = type.storage == EmbeddingStorage::int8;
  if (!isScaled || loadLittle<std::uint32_t>(&walk.row[begin]) < 0x7f800000) return std::nullopt;
  return Corruption::badScale;
}

Step skipValue(Walk& walk, FeatureType const& type) {
  switch (type.shape) {
    case Shape::scalar:
      return skipScalars(walk, type.scalar, 1);
    case Shape::list: {
      std::size_t count = 0;
      if (auto const corruption = readLength(walk, count)) return corruption;
      return skipScalars(walk, type.scalar, count);
    }
    case Shape::embedding:
      return skipEmbedding(walk, type);
  }
  __builtin_unreachable();
}

// Bytes of a scalar any value of which is valid; 0 for what `skipValue` has to look at.
std::size_t plainBytesOf(FeatureType const& type) {
  bool const isPlain = type.shape == Shape::scalar && type.scalar != Scalar::boolean;
  return isPlain ? rowBytesOf(type.scalar).value_or(0) : 0;
}

bool hasPresencePadding(Bytes presence, std::size_t featureCount) {
  std::size_t const usedBits = featureCount % 8;
  return usedBits != 0 && (presence.back() >> usedBits) != 0;
}

char const* textOf(Corruption corruption) {
  switch (corruption) {
    case Corruption::truncatedHeader:
      return "the row ends within its layout id, version or presence bits";
    case Corruption::badLayoutId:
      return "the layout id is not a minimal varint of at most 5 bytes";
    case Corruption::presencePadding:
      return "an unused presence bit is set";
    case Corruption::truncatedValue:
      return "the row ends within the value";
    case Corruption::badLength:
      return "the length is not a minimal varint of at most 5 bytes";
    case Corruption::badBool:
      return "a bool is neither 0 nor 1";
    case Corruption::badScale:
      return "the scale of the embedding is not a positive, finite float";
    case Corruption::trailingBytes:
      return "bytes follow the last value";
  }
  __builtin_unreachable();
}

}  // namespace

std::string describeFault(RowFault fault, RowLayout const* layout) {
  std::string const text = textOf(fault.corruption);
  if (layout == nullptr || fault.featureIndex >= layout->features.size()) return text;
  return "feature id " + std::to_string(layout->features[fault.featureIndex].id) + ": " + text;
}

std::optional<std::uint32_t> readVarint(Bytes bytes, std::size_t& offset) {
  std::uint64_t value = 0;
  for (std::size_t index = 0; index < kVarintBytesMax; index++) {
    if (offset >= bytes.size()) return std::nullopt;
    std::uint8_t const byte = bytes[offset++];
    value |= static_cast<std::uint64_t>(byte & 0x7f) << (7 * index);
    if ((byte & 0x80) != 0) continue;
    bool const isMinimal = byte != 0 || index == 0;
    if (!isMinimal || value > 0xffffffff) return std::nullopt;
    return static_cast<std::uint32_t>(value);
  }
  return std::nullopt;
}

std::optional<RowHeader> readHeader(Bytes row, RowFault& fault) {
  std::size_t offset = 0;
  auto const layoutId = readVarint(row, offset);
  if (layoutId) return RowHeader{*layoutId, offset};
  bool const isTruncated =
      offset == row.size() && offset < kVarintBytesMax && (row.empty() || (row.back() & 0x80) != 0);
  fault = {isTruncated ? Corruption::truncatedHeader : Corruption::badLayoutId, SIZE_MAX};
  return std::nullopt;
}

std::int64_t eventTimeOf(Bytes row, RowHeader const& header) {
  return unflipSign(loadBig64(&row[header.versionOffset]));
}

std::optional<RowFault> checkVersionOnlyRow(Bytes row, RowHeader const& header) {
  std::size_t const expectedBytes = header.versionOffset + kVersionBytes;
  if (row.size() < expectedBytes) return RowFault{Corruption::truncatedHeader, SIZE_MAX};
  if (row.size() > expectedBytes) return RowFault{Corruption::trailingBytes, SIZE_MAX};
  return std::nullopt;
}

std::optional<RowFault> findValues(Bytes row, RowHeader const& header, RowLayout const& layout,
                                   std::span<std::uint32_t> valueOffsets) {
  std::size_t const featureCount = layout.features.size();
  std::size_t const presenceOffset = header.versionOffset + kVersionBytes;
  std::size_t const valuesOffset = presenceOffset + layout.presenceBytes();
  if (row.size() < valuesOffset) return RowFault{Corruption::truncatedHeader, featureCount};
  Bytes const presence = row.subspan(presenceOffset, layout.presenceBytes());
  if (hasPresencePadding(presence, featureCount)) {
    return RowFault{Corruption::presencePadding, featureCount};
  }
  Walk walk = {row, valuesOffset};
  for (std::size_t index = 0; index < featureCount; index++) {
    bool const isSet = ((presence[index / 8] >> (index % 8)) & 1) != 0;
    valueOffsets[index] = isSet ? static_cast<std::uint32_t>(walk.offset) : 0;
    if (!isSet) continue;
    // Most values are of this kind.
    std::size_t const plainBytes = plainBytesOf(layout.features[index].type);
    if (plainBytes != 0 && plainBytes <= walk.left()) {
      walk.offset += plainBytes;
      continue;
    }
    auto const corruption = skipValue(walk, layout.features[index].type);
    if (corruption) return RowFault{*corruption, index};
  }
  if (walk.left() != 0) return RowFault{Corruption::trailingBytes, featureCount};
  return std::nullopt;
}

}  // namespace larder::codec
