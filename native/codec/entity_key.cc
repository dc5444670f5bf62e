#include "codec/entity_key.h"

#include <algorithm>
#include <bit>
#include <random>

#include "codec/hash.h"

namespace larder::codec {

namespace {

constexpr std::uint8_t kEscaped = 0xff;
constexpr std::uint8_t kTerminator = 0x01;

struct KeyColumn {
  ColumnReader reader;
  std::size_t cellCount;
  bool isLast;

  std::size_t cellOf(std::size_t row) const { return cellCount == 1 ? 0 : row; }
};

std::size_t componentBytes(KeyColumn const& column, std::size_t cell) {
  if (auto const fixedBytes = rowBytesOf(column.reader.type().scalar)) return *fixedBytes;
  Bytes const bytes = column.reader.bytesAt(cell);
  if (column.isLast) return bytes.size();
  return bytes.size() + static_cast<std::size_t>(std::ranges::count(bytes, 0)) + 2;
}

std::uint8_t* writeEscaped(Bytes bytes, std::uint8_t* to) {
  for (std::uint8_t const byte : bytes) {
    *to++ = byte;
    if (byte == 0) *to++ = kEscaped;
  }
  *to++ = 0;
  *to++ = kTerminator;
  return to;
}

std::uint8_t* writeComponent(KeyColumn const& column, std::size_t cell, std::uint8_t* to) {
  Scalar const scalar = column.reader.type().scalar;
  auto const fixedBytes = rowBytesOf(scalar);
  if (!fixedBytes) {
    Bytes const bytes = column.reader.bytesAt(cell);
    return column.isLast ? storeBytes(to, bytes) : writeEscaped(bytes, to);
  }
  auto const value = static_cast<std::uint64_t>(integerAt(column.reader, cell));
  if (scalar == Scalar::boolean) return storeBig(to, value, 1);
  std::uint64_t const signBit = std::uint64_t{1} << (*fixedBytes * 8 - 1);
  return storeBig(to, value ^ signBit, *fixedBytes);
}

std::optional<std::string> componentProblem(ColumnReader const& reader, std::size_t cell,
                                            ValueLimits const& limits) {
  if (reader.statusAt(cell) == static_cast<std::uint8_t>(CellStatus::present)) {
    return elementProblem(reader, cell, limits);
  }
  return "the cell is " + describeStatus(reader.statusAt(cell)) +
         ", but a join key must have a value";
}

std::vector<KeyColumn> openKeyColumns(KeysToEncode const& keys, ProblemList& problems) {
  ValueLimits const limits = {keys.keyBytesMax, keys.keyBytesMax, 0};
  std::vector<KeyColumn> opened;
  opened.reserve(keys.columns.size());
  for (std::uint32_t index = 0; index < keys.columns.size(); index++) {
    FeatureType const type = {Shape::scalar, keys.types[index], EmbeddingStorage::f32, 0};
    auto result = openColumn(keys.columns[index], type, keys.cellCounts[index]);
    if (auto* reason = std::get_if<std::string>(&result)) {
      problems.addColumn(index, std::move(*reason));
      continue;
    }
    auto& reader = std::get<ColumnReader>(result);
    for (std::uint32_t cell = 0; cell < keys.cellCounts[index]; cell++) {
      auto problem = componentProblem(reader, cell, limits);
      if (problem) problems.addCell(cell, index, *std::move(problem));
    }
    bool const isLast = index + 1 == keys.columns.size();
    opened.push_back({std::move(reader), keys.cellCounts[index], isLast});
  }
  return opened;
}

// Each key's offset, and a problem for each key that is too long.
std::vector<std::uint32_t> measureKeys(KeysToEncode const& keys, std::span<KeyColumn const> columns,
                                       ProblemList& problems) {
  std::vector<std::uint32_t> offsets = {0};
  offsets.reserve(keys.rowCount + 1);
  std::size_t endOffset = 0;
  for (std::uint32_t row = 0; row < keys.rowCount; row++) {
    std::size_t keyBytes = 0;
    for (KeyColumn const& column : columns) {
      keyBytes += componentBytes(column, column.cellOf(row));
    }
    if (keyBytes > keys.keyBytesMax) {
      problems.addRow({row, std::nullopt,
                       "the entity key takes " + std::to_string(keyBytes) + " bytes, at most " +
                           std::to_string(keys.keyBytesMax) + " are allowed"});
    }
    endOffset += keyBytes;
    offsets.push_back(toOffset(endOffset));
  }
  return offsets;
}

// Who sends keys cannot know this seed, and so cannot make keys that collide. What is returned does
// not depend on it.
std::uint64_t tableSeed() {
  static std::uint64_t const seed = [] {
    std::random_device device;
    return (std::uint64_t{device()} << 32) | device();
  }();
  return seed;
}

}  // namespace

EntityKeys encodeEntityKeys(KeysToEncode const& keys, ProblemList& problems) {
  std::vector<KeyColumn> const columns = openKeyColumns(keys, problems);
  if (!problems.empty()) return {};
  EntityKeys out;
  out.offsets = measureKeys(keys, columns, problems);
  if (!problems.empty()) return {};
  out.bytes.resize(out.offsets.back());
  std::uint8_t* to = out.bytes.data();
  for (std::size_t row = 0; row < keys.rowCount; row++) {
    for (KeyColumn const& column : columns) to = writeComponent(column, column.cellOf(row), to);
  }
  return out;
}

DistinctKeys dedupeKeys(Bytes bytes, std::span<std::uint32_t const> offsets) {
  constexpr std::uint32_t kFree = 0xffffffff;
  std::size_t const rowCount = offsets.size() - 1;
  auto const keyAt = [&](std::uint32_t row) {
    return bytes.subspan(offsets[row], offsets[row + 1] - offsets[row]);
  };
  // Open addressing, at most half full.
  std::size_t const mask = std::bit_ceil(std::max<std::size_t>(rowCount * 2, 2)) - 1;
  std::vector<std::uint32_t> table(mask + 1, kFree);
  DistinctKeys out;
  out.slots.reserve(rowCount);
  for (std::uint32_t row = 0; row < rowCount; row++) {
    Bytes const key = keyAt(row);
    std::size_t place = hash64(key, tableSeed()) & mask;
    while (table[place] != kFree && !std::ranges::equal(keyAt(out.firstRows[table[place]]), key)) {
      place = (place + 1) & mask;
    }
    if (table[place] == kFree) {
      table[place] = static_cast<std::uint32_t>(out.firstRows.size());
      out.firstRows.push_back(row);
    }
    out.slots.push_back(table[place]);
  }
  return out;
}

}  // namespace larder::codec
