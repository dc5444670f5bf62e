#include "codec/cell_decode.h"

#include <bit>
#include <type_traits>

namespace larder::codec {

namespace {

template <typename N>
Corruption takeNumbers(BitReader& from, std::size_t count, GrowingBytes& elements) {
  using Held = typename N::Held;
  if (count > from.left() / N::kStoredBits) return Corruption::truncatedValue;
  std::uint8_t* to = elements.grow(count * sizeof(Held));
  if (to == nullptr) return Corruption::beyondBound;
  if constexpr (std::is_same_v<typename N::Stored, Held>) {
    from.takeBytes(to, count * sizeof(Held));
    return Corruption::none;
  }
  for (std::size_t index = 0; index < count; index++) {
    Held held;
    if (auto const corruption = takeNumber<N>(from, held); corruption != Corruption::none) {
      return corruption;
    }
    to = storeLittle(to, held);
  }
  return Corruption::none;
}

Corruption takeEmbedding(BitReader& from, FeatureType const& type, GrowingBytes& elements) {
  bool const isScaled = type.storage == EmbeddingStorage::int8;
  std::uint64_t scaleBits = 0;
  if (embeddingRowBytes(type) > from.left() / 8) return Corruption::truncatedValue;
  if (isScaled) from.take(32, scaleBits);
  if (isBadScale(static_cast<std::uint32_t>(scaleBits))) return Corruption::badScale;
  std::size_t const begin = elements.byteCount();
  Corruption const corruption = withNumber(
      type, [&](auto number) { return takeNumbers<decltype(number)>(from, type.dim, elements); });
  if (corruption == Corruption::none && isScaled) {
    scaleSteps(elements.data() + begin, type.dim, static_cast<std::uint32_t>(scaleBits));
  }
  return corruption;
}

Corruption takeTexts(BitReader& from, std::size_t count, VaryingParts& parts) {
  // Each takes a byte at least.
  if (count > from.left() / 8) return Corruption::truncatedValue;
  for (std::size_t index = 0; index < count; index++) {
    auto const corruption = takeTextElement(from, parts);
    if (corruption != Corruption::none) return corruption;
  }
  return Corruption::none;
}

Corruption takeVarying(BitReader& from, FeatureType const& type, VaryingParts& parts,
                       std::uint32_t& length) {
  if (type.shape == Shape::embedding) {
    length = type.dim;
    return takeEmbedding(from, type, parts.elements);
  }
  if (auto const corruption = takeLength(from, length); corruption != Corruption::none) {
    return corruption;
  }
  bool const isText = elementClassOf(type.scalar) == ColumnClass::var;
  if (isText && type.shape == Shape::scalar) return takeText(from, length, parts);
  if (isText) return takeTexts(from, length, parts);
  return withNumber(type, [&](auto number) {
    return takeNumbers<decltype(number)>(from, length, parts.elements);
  });
}

}  // namespace

Corruption takeLength(BitReader& from, std::uint32_t& length) {
  constexpr unsigned kShiftMax = 28;
  std::uint64_t value = 0;
  for (unsigned shift = 0; shift <= kShiftMax; shift += 7) {
    std::uint64_t byte;
    if (!from.take(8, byte)) return Corruption::badLength;
    value |= (byte & 0x7f) << shift;
    if ((byte & 0x80) != 0) continue;
    bool const isMinimal = byte != 0 || shift == 0;
    if (!isMinimal || value > UINT32_MAX) return Corruption::badLength;
    length = static_cast<std::uint32_t>(value);
    return Corruption::none;
  }
  return Corruption::badLength;
}

Corruption takeText(BitReader& from, std::size_t byteCount, VaryingParts& parts) {
  if (byteCount > from.left() / 8) return Corruption::truncatedValue;
  std::uint8_t* const to = parts.data.grow(byteCount);
  if (to == nullptr) return Corruption::beyondBound;
  from.takeBytes(to, byteCount);
  return Corruption::none;
}

Corruption takeTextElement(BitReader& from, VaryingParts& parts) {
  std::uint32_t byteCount;
  if (auto const corruption = takeLength(from, byteCount); corruption != Corruption::none) {
    return corruption;
  }
  std::uint8_t* const length = parts.elements.grow(sizeof byteCount);
  if (length == nullptr) return Corruption::beyondBound;
  storeLittle(length, byteCount);
  return takeText(from, byteCount, parts);
}

Corruption takeDictionaryText(RowCursor& row, Dictionary const& dictionary, std::uint64_t index,
                              VaryingParts& parts, std::uint32_t& length) {
  if (index >= dictionary.valueCount()) return Corruption::badSymbol;
  Bytes const value = dictionary.valueAt(index);
  if (!row.mayGrow(value.size())) return Corruption::tooLong;
  std::uint8_t* const to = parts.data.grow(value.size());
  if (to == nullptr) return Corruption::beyondBound;
  storeBytes(to, value);
  length = static_cast<std::uint32_t>(value.size());
  return Corruption::none;
}

void scaleSteps(std::uint8_t* elements, std::size_t count, std::uint32_t scaleBits) {
  auto const scale = std::bit_cast<float>(scaleBits);
  for (std::size_t index = 0; index < count; index++, elements += sizeof(float)) {
    storeLittle(elements, loadLittle<float>(elements) * scale);
  }
}

Corruption takeCell(RowCursor& row, FeatureType const& type, DecodedColumn& column) {
  bool const isText = elementClassOf(type.scalar) == ColumnClass::var;
  if (type.shape == Shape::scalar && !isText) {
    return withNumber(type,
                      [&](auto number) { return takeNumberCell<decltype(number)>(row, column); });
  }
  return takeVaryingCell(row, column, [&](VaryingParts& parts, std::uint32_t& length) {
    return takeVarying(row.reader, type, parts, length);
  });
}

Corruption takeOptionalCell(RowCursor& row, FeatureType const& type, DecodedColumn& column) {
  std::uint64_t isSet;
  if (!row.reader.take(1, isSet)) return Corruption::truncatedValue;
  if (isSet != 0) return takeCell(row, type, column);
  setNull(row, column);
  return Corruption::none;
}

}  // namespace larder::codec
