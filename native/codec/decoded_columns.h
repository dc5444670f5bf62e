// The typed columns that a decode fills.
//
// A column has a fixed part, `rowCount` values (or u32 lengths) and as many status bytes, in the
// caller's memory. What varies in size (blobs, list elements) is gathered in memory of its own, in
// the order in which rows are decoded, and put in output order once its size is known.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "codec/bytes.h"
#include "codec/feature_type.h"
#include "codec/wire_column.h"

namespace larder::codec {

struct WantedFeature {
  std::uint32_t id;
  FeatureType type;
};

// How many bytes the varying parts of a decode may still take, those that are given up again
// included.
struct VaryingBudget {
  std::size_t bytesLeft;
  bool isExceeded = false;
};

// Bytes that grow at the end, within the budget.
class GrowingBytes {
 public:
  explicit GrowingBytes(VaryingBudget& budget) : budget_(&budget) {}

  std::uint8_t* data() { return bytes_.get(); }
  std::size_t byteCount() const { return byteCount_; }
  bool canGrow(std::size_t moreBytes) const { return moreBytes <= budget_->bytesLeft; }
  // Where the next `moreBytes` go; null where the budget is exceeded.
  std::uint8_t* grow(std::size_t moreBytes) {
    if (!canGrow(moreBytes)) {
      budget_->isExceeded = true;
      return nullptr;
    }
    std::size_t const begin = byteCount_;
    if (begin + moreBytes > capacityBytes_ || bytes_ == nullptr) reallocate(begin + moreBytes);
    budget_->bytesLeft -= moreBytes;
    byteCount_ += moreBytes;
    return bytes_.get() + begin;
  }
  void shrinkTo(std::size_t byteCount) {
    budget_->bytesLeft += byteCount_ - byteCount;
    byteCount_ = byteCount;
  }

 private:
  static constexpr std::size_t kBytesAtFirst = 4096;

  void reallocate(std::size_t neededBytes) {
    capacityBytes_ = 2 * neededBytes + kBytesAtFirst;
    auto bytes = std::make_unique_for_overwrite<std::uint8_t[]>(capacityBytes_);
    storeBytes(bytes.get(), {bytes_.get(), byteCount_});
    bytes_ = std::move(bytes);
  }

  VaryingBudget* budget_;
  std::unique_ptr<std::uint8_t[]> bytes_;
  std::size_t capacityBytes_ = 0;
  std::size_t byteCount_ = 0;
};

// Where a cell's varying parts begin; how many elements it has stands in its length.
struct VaryingCell {
  std::uint32_t elementsBegin;
  std::uint32_t dataBegin;
  std::uint32_t dataBytes;
};

struct VaryingParts {
  GrowingBytes elements;  // of lists: numbers, or u32 lengths
  GrowingBytes data;      // of texts
  std::vector<VaryingCell> cells;
};

// Where a column's fixed part lies. Of a column that nobody wants the strides are 0.
struct FixedPart {
  std::uint8_t* values;
  std::size_t valueStride;
  std::uint8_t* statuses;
  std::size_t statusStride;

  template <typename Held>
  void setValue(std::size_t output, Held value) const {
    storeLittle(values + output * valueStride, value);
  }
  void setStatus(std::size_t output, CellStatus status) const {
    statuses[output * statusStride] = static_cast<std::uint8_t>(status);
  }
  void eraseValue(std::size_t output) const {
    if (valueStride != 0) std::memset(values + output * valueStride, 0, valueStride);
  }
};

struct DecodedColumn {
  // Else its cells are checked, and land nowhere.
  bool isWanted;
  FixedPart fixed;
  // Of texts, lists and embeddings.
  std::optional<VaryingParts> varying;
};

// Bytes of the fixed parts of all columns.
std::size_t fixedBytesOf(std::span<WantedFeature const> wanted, std::size_t rowCount);

class DecodedColumns {
 public:
  // `fixed` is zero. In it come the bounds of varying parts, event times, the values of columns of
  // 8 bytes a cell, then of 4, and statuses, in the order of `wanted` each.
  DecodedColumns(std::span<WantedFeature const> wanted, std::size_t rowCount, std::uint8_t* fixed,
                 std::size_t varyingBytesMax);
  DecodedColumns(DecodedColumns const&) = delete;
  DecodedColumns& operator=(DecodedColumns const&) = delete;

  DecodedColumn& column(std::size_t index) { return columns_[index]; }
  std::size_t columnCount() const { return columns_.size(); }
  // Takes the cells of features that nobody wants.
  DecodedColumn& unwanted() { return unwanted_; }
  void setEventTime(std::size_t output, std::int64_t eventTimeUs) {
    storeLittle(eventTimes_ + 8 * output, eventTimeUs);
  }
  // The row has this status in all columns and no values.
  void setEmptyRow(std::size_t output, CellStatus status);
  // The row has no values; its statuses stay.
  void eraseValues(std::size_t output);
  // Output row `to` becomes what `from` is.
  void copyRow(std::size_t from, std::size_t to);

  // Sets where each column's varying parts lie in one buffer, each at a multiple of 8: elements
  // begin and end, data begin and end. Returns the bytes of all; nothing where they exceed the
  // bound.
  std::optional<std::size_t> layOutVarying();
  // Fills the buffer.
  void fillVarying(std::uint8_t* memory);

 private:
  std::size_t lengthAt(DecodedColumn const& column, std::size_t output) const {
    return loadLittle<std::uint32_t>(column.fixed.values + output * column.fixed.valueStride);
  }

  // Of all its cells.
  std::size_t lengthSumOf(DecodedColumn const& column) const;
  std::size_t dataBytesOf(DecodedColumn const& column) const;

  std::vector<WantedFeature> wanted_;
  std::size_t rowCount_;
  std::size_t varyingBytesMax_;
  VaryingBudget budget_;
  std::uint8_t* bounds_;  // four u32 a column
  std::uint8_t* eventTimes_;
  std::vector<DecodedColumn> columns_;
  std::uint64_t unwantedValue_ = 0;
  std::uint8_t unwantedStatus_ = 0;
  DecodedColumn unwanted_;
};

}  // namespace larder::codec
