#include "codec/row_encode.h"

#include <algorithm>

#include "codec/column_encode.h"
#include "codec/row_header.h"

namespace larder::codec {

namespace {

constexpr auto kPresent = static_cast<std::uint8_t>(CellStatus::present);
constexpr auto kNull = static_cast<std::uint8_t>(CellStatus::nullValue);

// Rows that are encoded together: few enough that what is written stays in a near cache.
constexpr std::size_t kBlockRows = 128;

std::optional<std::string> writtenCellProblem(ColumnReader const& column, std::size_t cell,
                                              ValueLimits const& limits) {
  std::uint8_t const status = column.statusAt(cell);
  if (status == kPresent) return cellProblem(column, cell, limits);
  if (status == kNull) return nullProblem(column, cell);
  return "the cell is " + describeStatus(status) +
         ", but only PRESENT and NULL_VALUE cells can be written";
}

std::vector<ColumnReader> openColumns(RowLayout const& layout, RowsToEncode const& rows,
                                      ProblemList& problems) {
  std::vector<ColumnReader> readers;
  readers.reserve(rows.columns.size());
  for (std::uint32_t index = 0; index < rows.columns.size(); index++) {
    auto opened =
        openColumn(rows.columns[index], layout.features[index].type, rows.eventTimesUs.size());
    if (auto* reason = std::get_if<std::string>(&opened)) {
      problems.addColumn(index, std::move(*reason));
    } else {
      readers.push_back(std::get<ColumnReader>(std::move(opened)));
    }
  }
  return readers;
}

void addCellBytes(ColumnReader const& column, std::span<std::size_t> valueBytes) {
  FeatureType const& type = column.type();
  auto const fixedBytes = type.shape == Shape::scalar ? rowBytesOf(type.scalar) : std::nullopt;
  if (!fixedBytes) {
    for (std::size_t row = 0; row < valueBytes.size(); row++) {
      if (column.isPresent(row)) valueBytes[row] += cellRowBytes(column, row);
    }
    return;
  }
  Bytes const statuses = column.statuses();
  for (std::size_t& each : valueBytes) each += *fixedBytes;
  for (std::size_t row = 0; row < statuses.size(); row++) {
    valueBytes[row] -= statuses[row] == kPresent ? 0 : *fixedBytes;
  }
}

// Checks every cell of a column and adds its plain bytes to its row's.
void measureColumn(ColumnReader const& column, std::uint32_t columnIndex, ValueLimits const& limits,
                   std::span<std::size_t> valueBytes, ProblemList& problems) {
  if (allCellsFit(column, valueBytes.size(), limits)) return addCellBytes(column, valueBytes);
  for (std::uint32_t row = 0; row < valueBytes.size(); row++) {
    if (auto problem = writtenCellProblem(column, row, limits)) {
      problems.addCell(row, columnIndex, *std::move(problem));
    } else if (column.isPresent(row)) {
      valueBytes[row] += cellRowBytes(column, row);
    }
  }
}

void checkRowBytes(std::uint32_t row, std::size_t rowBytes, ValueLimits const& limits,
                   ProblemList& problems) {
  if (rowBytes <= limits.rowBytesMax) return;
  problems.addRow({row, std::nullopt,
                   "the row takes " + std::to_string(rowBytes) + " bytes, at most " +
                       std::to_string(limits.rowBytesMax) + " are allowed"});
}

// The bytes of each row's values as plain rows have them: a row is held against its bound so,
// whatever it takes in a learned layout.
std::vector<std::size_t> measureValues(RowLayout const& plainLayout,
                                       std::span<ColumnReader const> columns, std::size_t rowCount,
                                       ValueLimits const& limits, ProblemList& problems) {
  std::vector<std::size_t> valueBytes(rowCount);
  for (std::uint32_t index = 0; index < columns.size(); index++) {
    measureColumn(columns[index], index, limits, valueBytes, problems);
  }
  std::size_t const headBytes = plainLayout.headerBytes() + plainLayout.presenceBytes();
  std::size_t totalBytes = 0;
  for (std::uint32_t row = 0; row < rowCount; row++) {
    checkRowBytes(row, headBytes + valueBytes[row], limits, problems);
    totalBytes += headBytes + valueBytes[row];
  }
  if (problems.empty()) toOffset(totalBytes);
  return valueBytes;
}

bool fits(RowLayout const& layout, std::int64_t eventTimeUs, std::uint64_t sequence) {
  if (!layout.compactVersion) return true;
  return layout.compactVersion->sequence == sequence &&
         layout.compactVersion->unitsOf(eventTimeUs).has_value();
}

// Encodes a batch a block of rows at a time, and a block a column at a time.
class BatchEncode {
 public:
  BatchEncode(RowLayouts layouts, RowsToEncode const& rows, std::span<ColumnReader const> columns,
              std::span<std::size_t const> valueBytes)
      : layouts_(layouts), rows_(rows), columns_(columns), valueBytes_(valueBytes) {
    for (auto const& layout : layouts) overheads_.push_back(overheadOf(*layout));
  }

  EncodedRows run() {
    std::size_t const rowCount = valueBytes_.size();
    out_.offsets.reserve(rowCount + 1);
    out_.offsets.push_back(0);
    for (std::size_t begin = 0; begin < rowCount; begin += kBlockRows) {
      encodeBlock(begin, std::min(begin + kBlockRows, rowCount));
    }
    return std::move(out_);
  }

 private:
  // Where a row stands in the block's memory; its end is known once it is written.
  struct Place {
    std::size_t layoutIndex;
    std::size_t offset;
    std::uint8_t* end;
  };

  // What a layout adds to the plain bytes of a row's values, at most: so many bytes, and what the
  // elements of packed lists take.
  struct Overhead {
    std::size_t rowBytes;
    std::vector<std::size_t> packedFeatures;
  };

  void encodeBlock(std::size_t beginRow, std::size_t endRow) {
    places_.clear();
    std::size_t blockBytes = 0;
    for (std::size_t row = beginRow; row < endRow; row++) {
      std::size_t layoutIndex = 0;
      while (!fits(*layouts_[layoutIndex], rows_.eventTimesUs[row], rows_.sequence)) layoutIndex++;
      places_.push_back({layoutIndex, blockBytes, nullptr});
      blockBytes += rowBytesMax(layoutIndex, row);
    }
    if (memory_.size() < blockBytes) memory_.resize(blockBytes);
    for (std::size_t index = 0; index < layouts_.size(); index++) {
      if (layouts_[index]->codings) {
        encodeLearned(index, beginRow);
      } else {
        encodePlain(index, beginRow);
      }
    }
    for (Place const& place : places_) {
      out_.bytes.insert(out_.bytes.end(), memory_.data() + place.offset, place.end);
      out_.offsets.push_back(toOffset(out_.bytes.size()));
    }
  }

  static Overhead overheadOf(RowLayout const& layout) {
    if (!layout.codings) return {layout.headerBytes() + layout.presenceBytes(), {}};
    std::size_t const featureCount = layout.features.size();
    std::size_t const bitCount = 1 + featureCount + featureCount * kCellBitsMax;
    Overhead overhead = {layout.headerBytes() + bitCount / 8 + 1 + BitWriter::kSlackBytes, {}};
    for (std::size_t index = 0; index < featureCount; index++) {
      bool const hasElements = (*layout.codings)[index].kind == CodingKind::packedList;
      if (hasElements) overhead.packedFeatures.push_back(index);
    }
    return overhead;
  }

  // The most bytes that the row may take while it is written.
  std::size_t rowBytesMax(std::size_t layoutIndex, std::size_t row) const {
    Overhead const& overhead = overheads_[layoutIndex];
    std::size_t elementBits = 0;
    for (std::size_t const index : overhead.packedFeatures) {
      elementBits += elementBitsMax((*layouts_[layoutIndex]->codings)[index], columns_[index], row);
    }
    return overhead.rowBytes + valueBytes_[row] + (elementBits + 7) / 8;
  }

  // Writes the headers of the block's rows of a layout, and calls `use(row, place, body)` for each.
  template <typename Use>
  void eachRowOf(std::size_t layoutIndex, std::size_t beginRow, Use use) {
    for (std::size_t index = 0; index < places_.size(); index++) {
      Place& place = places_[index];
      if (place.layoutIndex != layoutIndex) continue;
      std::size_t const row = beginRow + index;
      use(row, place,
          writeHeader(*layouts_[layoutIndex], rows_.eventTimesUs[row], rows_.sequence,
                      memory_.data() + place.offset));
    }
  }

  void encodePlain(std::size_t layoutIndex, std::size_t beginRow) {
    std::size_t const presenceBytes = layouts_[layoutIndex]->presenceBytes();
    cursors_.clear();
    presences_.clear();
    eachRowOf(layoutIndex, beginRow, [&](std::size_t row, Place&, std::uint8_t* body) {
      std::fill_n(body, presenceBytes, std::uint8_t{0});
      presences_.push_back(body);
      cursors_.push_back({row, body + presenceBytes});
    });
    for (std::size_t index = 0; index < columns_.size(); index++) {
      auto const bit = static_cast<std::uint8_t>(1u << (index % 8));
      for (std::size_t at = 0; at < cursors_.size(); at++) {
        if (columns_[index].isPresent(cursors_[at].cell)) presences_[at][index / 8] |= bit;
      }
      writeCells(columns_[index], cursors_);
    }
    for (CellCursor const& cursor : cursors_) places_[cursor.cell - beginRow].end = cursor.to;
  }

  void encodeLearned(std::size_t layoutIndex, std::size_t beginRow) {
    RowLayout const& layout = *layouts_[layoutIndex];
    exceptions_.assign(places_.size() * layout.presenceBytes(), 0);
    writers_.clear();
    bodies_.clear();
    eachRowOf(layoutIndex, beginRow, [&](std::size_t row, Place&, std::uint8_t* body) {
      std::uint8_t* const exceptions =
          exceptions_.data() + (row - beginRow) * layout.presenceBytes();
      bodies_.push_back(body);
      writers_.push_back({row, BitWriter(body), exceptions, false});
      writers_.back().bits.put(0, 1);
    });
    encodeFeatures(layout, writers_);
    finishRows(writers_, beginRow);
    writeExceptions(layout, beginRow);
  }

  void encodeFeatures(RowLayout const& layout, std::span<RowWriter> writers) {
    if (writers.empty()) return;
    for (std::size_t index = 0; index < columns_.size(); index++) {
      encodeFeature((*layout.codings)[index], index, columns_[index], writers, scratch_);
    }
  }

  // Writes rows that turned out to have exceptions from their beginning.
  void writeExceptions(RowLayout const& layout, std::size_t beginRow) {
    std::size_t count = 0;
    for (std::size_t at = 0; at < writers_.size(); at++) {
      RowWriter writer = writers_[at];
      if (!writer.hasExceptions) continue;
      writer.bits = BitWriter(bodies_[at]);
      writer.bits.put(1, 1);
      for (std::size_t index = 0; index < columns_.size(); index++) {
        writer.bits.put(writer.isException(index) ? 1 : 0, 1);
      }
      writers_[count++] = writer;
    }
    writers_.resize(count);
    encodeFeatures(layout, writers_);
    finishRows(writers_, beginRow);
  }

  void finishRows(std::span<RowWriter> writers, std::size_t beginRow) {
    for (RowWriter& writer : writers) places_[writer.row - beginRow].end = writer.bits.finish();
  }

  RowLayouts layouts_;
  std::vector<Overhead> overheads_;  // by layout
  RowsToEncode const& rows_;
  std::span<ColumnReader const> columns_;
  std::span<std::size_t const> valueBytes_;
  EncodedRows out_;
  // Of the block under way.
  std::vector<Place> places_;
  std::vector<std::uint8_t> memory_;
  std::vector<CellCursor> cursors_;
  std::vector<std::uint8_t*> presences_;
  std::vector<RowWriter> writers_;
  std::vector<std::uint8_t*> bodies_;
  std::vector<std::uint8_t> exceptions_;
  EncodeScratch scratch_;
};

}  // namespace

EncodedRows encodeRows(RowLayouts layouts, RowsToEncode const& rows, ValueLimits const& limits,
                       ProblemList& problems) {
  RowLayout const& plainLayout = *layouts.back();
  std::vector<ColumnReader> const columns = openColumns(plainLayout, rows, problems);
  if (!problems.empty()) return {};
  auto const valueBytes =
      measureValues(plainLayout, columns, rows.eventTimesUs.size(), limits, problems);
  if (!problems.empty()) return {};
  EncodedRows encoded = BatchEncode(layouts, rows, columns, valueBytes).run();
  // A learned layout may take more than the plain one where it does not suit the row.
  for (std::uint32_t row = 0; row + 1 < encoded.offsets.size(); row++) {
    checkRowBytes(row, encoded.offsets[row + 1] - encoded.offsets[row], limits, problems);
  }
  return encoded;
}

}  // namespace larder::codec
