// Columns as they arrive: little-endian bytes that need not be aligned, checked here against a
// type.
//
// A `WireColumn` is what the message held. `openColumn` checks its class and that it is not ragged,
// and gives a `ColumnReader`, whose cells can then be read without further bounds checks. Whether
// the values fit the type is `cell_values.h`'s to check.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "codec/bytes.h"
#include "codec/feature_type.h"

namespace larder::codec {

// The codes of `larder.v1.CellStatus`.
enum class CellStatus : std::uint8_t {
  present = 1,
  nullValue = 2,
  notFound = 3,
  outsideMaxAge = 4,
  unavailable = 5,
};

// The status as users read it; a byte that is none as its number.
std::string describeStatus(std::uint8_t status);

struct WireColumn {
  ColumnClass columnClass;
  // Of lists the class of their elements; else the column's own.
  ColumnClass elementClass;
  Bytes listLengths;  // u32 per cell; lists only
  Bytes data;         // numbers, or the blob of `var`
  Bytes lengths;      // u32 per value of `var`
  bool hasStatus;
  Bytes status;
};

// Elements [begin, end) of a column: one of a scalar, any number of a list.
struct ElementRange {
  std::size_t begin;
  std::size_t end;
};

class ColumnReader {
 public:
  ColumnReader(WireColumn const& column, FeatureType const& type);

  FeatureType const& type() const { return type_; }
  ColumnClass elementClass() const { return column_.elementClass; }
  // One for each cell; none where all are present.
  Bytes statuses() const { return column_.hasStatus ? column_.status : Bytes(); }
  std::uint8_t statusAt(std::size_t cell) const {
    return column_.hasStatus ? column_.status[cell] : kPresent;
  }
  bool isPresent(std::size_t cell) const { return statusAt(cell) == kPresent; }
  std::size_t elementCount() const {
    bool const isVar = column_.elementClass == ColumnClass::var;
    return isVar ? dataOffsets_.size() - 1
                 : column_.data.size() / columnCellBytes(column_.elementClass);
  }
  ElementRange elementsOf(std::size_t cell) const {
    if (listOffsets_.empty()) return {cell, cell + 1};
    return {listOffsets_[cell], listOffsets_[cell + 1]};
  }
  template <typename T>
  T numberAt(std::size_t element) const {
    return loadLittle<T>(column_.data.data() + element * sizeof(T));
  }
  Bytes bytesAt(std::size_t element) const {
    return column_.data.subspan(dataOffsets_[element],
                                dataOffsets_[element + 1] - dataOffsets_[element]);
  }

 private:
  static constexpr auto kPresent = static_cast<std::uint8_t>(CellStatus::present);

  WireColumn column_;
  FeatureType type_;
  std::vector<std::size_t> listOffsets_;  // lists only: one more than there are cells
  std::vector<std::size_t> dataOffsets_;  // `var` only: one more than there are values
};

// Opens a column of `cellCount` cells for values of `type`; else says what is wrong with the column
// as a whole.
std::variant<ColumnReader, std::string> openColumn(WireColumn const& column,
                                                   FeatureType const& type, std::size_t cellCount);

}  // namespace larder::codec
