#include "codec/column_gather.h"

#include <bit>

#include "codec/float16.h"
#include "codec/wire_column.h"

namespace larder::codec {

namespace {

constexpr std::size_t kLengthBytes = 4;

// By the cells that have no value.
constexpr CellStatus kStatusOf[kCellValueMin] = {CellStatus::notFound, CellStatus::nullValue,
                                                 CellStatus::unavailable};
static_assert(kCellNotFound == 0 && kCellNull == 1 && kCellUnavailable == 2);

// A varint that `findValues` has read before. Moves `from` behind it.
std::uint32_t takeVarint(std::uint8_t const*& from) {
  std::uint32_t value = 0;
  for (int shift = 0;; shift += 7) {
    std::uint8_t const byte = *from++;
    value |= static_cast<std::uint32_t>(byte & 0x7f) << shift;
    if ((byte & 0x80) == 0) return value;
  }
}

// Numbers as rows store them, one after the other, as columns hold them; floats of one width move
// as integers. Returns the byte behind the last one written.
template <typename Stored, typename Held>
std::uint8_t* copyNumbers(std::uint8_t const* from, std::size_t count, std::uint8_t* to) {
  for (std::size_t index = 0; index < count; index++, from += sizeof(Stored)) {
    to = storeLittle(to, static_cast<Held>(loadLittle<Stored>(from)));
  }
  return to;
}

std::uint8_t* copyListNumbers(Scalar scalar, std::uint8_t const* from, std::size_t count,
                              std::uint8_t* to) {
  switch (scalar) {
    case Scalar::boolean:
    case Scalar::int8:
      return copyNumbers<std::int8_t, float>(from, count, to);
    case Scalar::int16:
      return copyNumbers<std::int16_t, float>(from, count, to);
    case Scalar::int32:
      return copyNumbers<std::int32_t, double>(from, count, to);
    case Scalar::float32:
      return storeBytes(to, {from, count * 4});
    case Scalar::int64:
    case Scalar::timestamp:
    case Scalar::float64:
      return storeBytes(to, {from, count * 8});
    case Scalar::string:
    case Scalar::bytes:
    case Scalar::categorical:
      break;
  }
  __builtin_unreachable();
}

std::uint8_t* copyEmbedding(FeatureType const& type, std::uint8_t const* from, std::uint8_t* to) {
  switch (type.storage) {
    case EmbeddingStorage::f32:
      return storeBytes(to, {from, std::size_t{4} * type.dim});
    case EmbeddingStorage::f16:
      for (std::size_t index = 0; index < type.dim; index++) {
        to = storeLittle(to, floatFromHalf(loadLittle<std::uint16_t>(from + 2 * index)));
      }
      return to;
    case EmbeddingStorage::int8: {
      auto const scale = loadLittle<float>(from);
      for (std::size_t index = 0; index < type.dim; index++) {
        auto const steps = static_cast<std::int8_t>(from[4 + index]);
        to = storeLittle(to, static_cast<float>(steps) * scale);
      }
      return to;
    }
  }
  __builtin_unreachable();
}

// A scalar whose values all take the same bytes: its column has no varying part.
bool isFixedWidth(FeatureType const& type) {
  return type.shape == Shape::scalar && rowBytesOf(type.scalar).has_value();
}

// Bytes of a list's texts together.
std::size_t textBytes(std::uint8_t const* from, std::size_t count) {
  std::size_t byteCount = 0;
  for (std::size_t index = 0; index < count; index++) {
    std::uint32_t const valueBytes = takeVarint(from);
    byteCount += valueBytes;
    from += valueBytes;
  }
  return byteCount;
}

}  // namespace

ColumnGatherer::ColumnGatherer(RowDecoder const& decoder, FoundCells const& found, Bytes arena,
                               bool servesStale)
    : decoder_(decoder), found_(found), arena_(arena), servesStale_(servesStale) {}

template <typename Use>
void ColumnGatherer::eachValue(std::size_t columnIndex, Use use) const {
  std::size_t const columnCount = decoder_.wanted().size();
  for (std::size_t output = 0; output < found_.rowOfOutput.size(); output++) {
    std::size_t const row = found_.rowOfOutput[output];
    Cell const cell = found_.cells[row * columnCount + columnIndex];
    bool const isShown = cell >= kCellValueMin && (servesStale_ || !found_.rows[row].isStale);
    if (isShown) use(output, arena_.data() + cell);
  }
}

std::vector<VaryingPart> ColumnGatherer::gatherFixed(FixedParts const& parts) const {
  auto* eventTimes = parts.memory + parts.eventTimesOffset;
  for (std::uint32_t const row : found_.rowOfOutput) {
    eventTimes = storeLittle(eventTimes, found_.rows[row].eventTimeUs);
  }
  std::vector<VaryingPart> varying;
  varying.reserve(decoder_.wanted().size());
  for (std::size_t index = 0; index < decoder_.wanted().size(); index++) {
    gatherStatuses(index, parts.memory + parts.statusOffsets[index]);
    varying.push_back(gatherColumn(index, parts.memory + parts.valueOffsets[index]));
  }
  return varying;
}

// The status never depends on whether a stale value is served.
void ColumnGatherer::gatherStatuses(std::size_t columnIndex, std::uint8_t* statuses) const {
  std::size_t const columnCount = decoder_.wanted().size();
  for (std::uint32_t const row : found_.rowOfOutput) {
    CellStatus const shown =
        found_.rows[row].isStale ? CellStatus::outsideMaxAge : CellStatus::present;
    Cell const cell = found_.cells[row * columnCount + columnIndex];
    *statuses++ = static_cast<std::uint8_t>(cell >= kCellValueMin ? shown : kStatusOf[cell]);
  }
}

VaryingPart ColumnGatherer::gatherColumn(std::size_t columnIndex, std::uint8_t* values) const {
  if (!isFixedWidth(decoder_.wanted()[columnIndex].type)) return gatherLengths(columnIndex, values);
  gatherScalars(columnIndex, values);
  return {0, 0};
}

template <typename Stored, typename Held>
void ColumnGatherer::gatherNumbers(std::size_t columnIndex, std::uint8_t* values) const {
  eachValue(columnIndex, [&](std::size_t output, std::uint8_t const* from) {
    copyNumbers<Stored, Held>(from, 1, values + output * sizeof(Held));
  });
}

void ColumnGatherer::gatherScalars(std::size_t columnIndex, std::uint8_t* values) const {
  switch (decoder_.wanted()[columnIndex].type.scalar) {
    case Scalar::boolean:
    case Scalar::int8:
      return gatherNumbers<std::int8_t, float>(columnIndex, values);
    case Scalar::int16:
      return gatherNumbers<std::int16_t, float>(columnIndex, values);
    case Scalar::int32:
      return gatherNumbers<std::int32_t, double>(columnIndex, values);
    case Scalar::float32:
      return gatherNumbers<std::uint32_t, std::uint32_t>(columnIndex, values);
    case Scalar::int64:
    case Scalar::timestamp:
    case Scalar::float64:
      return gatherNumbers<std::uint64_t, std::uint64_t>(columnIndex, values);
    case Scalar::string:
    case Scalar::bytes:
    case Scalar::categorical:
      break;
  }
  __builtin_unreachable();
}

VaryingPart ColumnGatherer::gatherLengths(std::size_t columnIndex, std::uint8_t* lengths) const {
  FeatureType const& type = decoder_.wanted()[columnIndex].type;
  bool const isText = elementClassOf(type.scalar) == ColumnClass::var;
  std::size_t lengthSum = 0;
  std::size_t dataBytes = 0;
  eachValue(columnIndex, [&](std::size_t output, std::uint8_t const* from) {
    std::uint32_t const length = type.shape == Shape::embedding ? type.dim : takeVarint(from);
    storeLittle(lengths + output * kLengthBytes, length);
    lengthSum += length;
    if (isText && type.shape == Shape::list) dataBytes += textBytes(from, length);
  });
  if (type.shape == Shape::scalar) return {0, lengthSum};
  return {lengthSum * columnCellBytes(elementClassOf(type.scalar)), dataBytes};
}

void ColumnGatherer::gatherVarying(std::size_t columnIndex, std::uint8_t* elements,
                                   std::uint8_t* data) const {
  FeatureType const& type = decoder_.wanted()[columnIndex].type;
  if (isFixedWidth(type)) return;
  bool const isText = elementClassOf(type.scalar) == ColumnClass::var;
  eachValue(columnIndex, [&](std::size_t, std::uint8_t const* from) {
    if (type.shape == Shape::embedding) {
      elements = copyEmbedding(type, from, elements);
      return;
    }
    std::uint32_t const length = takeVarint(from);
    if (!isText) {
      elements = copyListNumbers(type.scalar, from, length, elements);
      return;
    }
    if (type.shape == Shape::scalar) {
      data = storeBytes(data, {from, length});
      return;
    }
    for (std::uint32_t index = 0; index < length; index++) {
      std::uint32_t const valueBytes = takeVarint(from);
      elements = storeLittle(elements, valueBytes);
      data = storeBytes(data, {from, valueBytes});
      from += valueBytes;
    }
  });
}

}  // namespace larder::codec
