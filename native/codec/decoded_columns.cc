#include "codec/decoded_columns.h"

#include <utility>

namespace larder::codec {

namespace {

constexpr std::size_t kEventTimeBytes = 8;
constexpr std::size_t kBoundsBytes = 4 * sizeof(std::uint32_t);

bool isFixedWidth(FeatureType const& type) {
  return type.shape == Shape::scalar && rowBytesOf(type.scalar).has_value();
}

std::size_t cellBytesOf(FeatureType const& type) { return columnCellBytes(columnClassOf(type)); }

// Bytes of one element of a list, or of the length of a text in it; 0 where cells have no elements.
std::size_t elementBytesOf(FeatureType const& type) {
  return type.shape == Shape::scalar ? 0 : columnCellBytes(elementClassOf(type.scalar));
}

VaryingParts emptyParts(VaryingBudget& budget, std::size_t cellCount) {
  return {GrowingBytes(budget), GrowingBytes(budget), std::vector<VaryingCell>(cellCount)};
}

// Copies pieces of one blob, and pieces that follow each other there at once.
class PieceCopier {
 public:
  explicit PieceCopier(std::uint8_t const* from, std::uint8_t* to) : from_(from), to_(to) {}

  void add(std::size_t begin, std::size_t byteCount) {
    if (begin == end_) {
      end_ += byteCount;
      return;
    }
    flush();
    begin_ = begin;
    end_ = begin + byteCount;
  }
  void flush() { to_ = storeBytes(to_, {from_ + begin_, end_ - begin_}); }

 private:
  std::uint8_t const* from_;
  std::uint8_t* to_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

}  // namespace

std::size_t fixedBytesOf(std::span<WantedFeature const> wanted, std::size_t rowCount) {
  std::size_t bytesPerRow = kEventTimeBytes;
  for (WantedFeature const& feature : wanted) bytesPerRow += cellBytesOf(feature.type) + 1;
  return kBoundsBytes * wanted.size() + bytesPerRow * rowCount;
}

DecodedColumns::DecodedColumns(std::span<WantedFeature const> wanted, std::size_t rowCount,
                               std::uint8_t* fixed, std::size_t varyingBytesMax)
    : wanted_(wanted.begin(), wanted.end()),
      rowCount_(rowCount),
      varyingBytesMax_(varyingBytesMax),
      budget_{varyingBytesMax},
      bounds_(fixed),
      eventTimes_(fixed + kBoundsBytes * wanted.size()),
      unwanted_{false,
                {reinterpret_cast<std::uint8_t*>(&unwantedValue_), 0, &unwantedStatus_, 0},
                emptyParts(budget_, 0)} {
  columns_.resize(wanted.size());
  std::uint8_t* next = eventTimes_ + kEventTimeBytes * rowCount;
  for (std::size_t const cellBytes : {8, 4}) {
    for (std::size_t index = 0; index < wanted.size(); index++) {
      if (cellBytesOf(wanted[index].type) != cellBytes) continue;
      columns_[index].fixed.values = next;
      columns_[index].fixed.valueStride = cellBytes;
      next += cellBytes * rowCount;
    }
  }
  for (std::size_t index = 0; index < wanted.size(); index++) {
    DecodedColumn& column = columns_[index];
    column.isWanted = true;
    column.fixed.statuses = next;
    column.fixed.statusStride = 1;
    next += rowCount;
    if (!isFixedWidth(wanted[index].type)) column.varying = emptyParts(budget_, rowCount);
  }
}

void DecodedColumns::setEmptyRow(std::size_t output, CellStatus status) {
  setEventTime(output, 0);
  for (DecodedColumn& column : columns_) {
    column.fixed.eraseValue(output);
    column.fixed.setStatus(output, status);
  }
}

void DecodedColumns::eraseValues(std::size_t output) {
  for (DecodedColumn& column : columns_) column.fixed.eraseValue(output);
}

void DecodedColumns::copyRow(std::size_t from, std::size_t to) {
  std::memcpy(eventTimes_ + kEventTimeBytes * to, eventTimes_ + kEventTimeBytes * from,
              kEventTimeBytes);
  for (DecodedColumn& column : columns_) {
    std::size_t const cellBytes = column.fixed.valueStride;
    std::memcpy(column.fixed.values + to * cellBytes, column.fixed.values + from * cellBytes,
                cellBytes);
    column.fixed.statuses[to] = column.fixed.statuses[from];
    if (column.varying) column.varying->cells[to] = column.varying->cells[from];
  }
}

std::size_t DecodedColumns::lengthSumOf(DecodedColumn const& column) const {
  std::size_t sum = 0;
  for (std::size_t output = 0; output < rowCount_; output++) sum += lengthAt(column, output);
  return sum;
}

std::size_t DecodedColumns::dataBytesOf(DecodedColumn const& column) const {
  if (column.varying->data.byteCount() == 0) return 0;
  std::size_t sum = 0;
  for (std::size_t output = 0; output < rowCount_; output++) {
    // A cell that was erased keeps its place, but has nothing there.
    if (lengthAt(column, output) != 0) sum += column.varying->cells[output].dataBytes;
  }
  return sum;
}

std::optional<std::size_t> DecodedColumns::layOutVarying() {
  if (budget_.isExceeded) return std::nullopt;
  std::size_t byteCount = 0;
  std::uint8_t* bounds = bounds_;
  for (std::size_t index = 0; index < columns_.size(); index++) {
    DecodedColumn const& column = columns_[index];
    std::size_t const lengthSum = column.varying ? lengthSumOf(column) : 0;
    std::size_t const dataBytes = column.varying ? dataBytesOf(column) : 0;
    for (std::size_t const partBytes :
         {lengthSum * elementBytesOf(wanted_[index].type), dataBytes}) {
      // Tested part by part: a sum of sums could pass 32 bits.
      if (partBytes > varyingBytesMax_) return std::nullopt;
      bounds = storeLittle(bounds, static_cast<std::uint32_t>(byteCount));
      bounds = storeLittle(bounds, static_cast<std::uint32_t>(byteCount + partBytes));
      byteCount += (partBytes + 7) / 8 * 8;
      if (byteCount > varyingBytesMax_) return std::nullopt;
    }
  }
  return byteCount;
}

void DecodedColumns::fillVarying(std::uint8_t* memory) {
  for (std::size_t index = 0; index < columns_.size(); index++) {
    DecodedColumn& column = columns_[index];
    if (!column.varying) continue;
    VaryingParts& parts = *column.varying;
    std::size_t const elementBytes = elementBytesOf(wanted_[index].type);
    std::uint8_t const* const bounds = bounds_ + kBoundsBytes * index;
    PieceCopier elements(parts.elements.data(), memory + loadLittle<std::uint32_t>(bounds));
    PieceCopier data(parts.data.data(), memory + loadLittle<std::uint32_t>(bounds + 8));
    for (std::size_t output = 0; output < rowCount_; output++) {
      std::size_t const length = lengthAt(column, output);
      if (length == 0) continue;
      VaryingCell const& cell = parts.cells[output];
      elements.add(cell.elementsBegin, length * elementBytes);
      data.add(cell.dataBegin, cell.dataBytes);
    }
    elements.flush();
    data.flush();
  }
}

}  // namespace larder::codec
