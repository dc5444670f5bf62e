#include "codec/row_encode.h"

namespace larder::codec {

namespace {

constexpr auto kPresent = static_cast<std::uint8_t>(CellStatus::present);
constexpr auto kNull = static_cast<std::uint8_t>(CellStatus::nullValue);

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

void addCellBytes(ColumnReader const& column, std::span<std::size_t> rowBytes) {
  FeatureType const& type = column.type();
  auto const fixedBytes = type.shape == Shape::scalar ? rowBytesOf(type.scalar) : std::nullopt;
  for (std::size_t row = 0; row < rowBytes.size(); row++) {
    if (!column.isPresent(row)) continue;
    rowBytes[row] += fixedBytes ? *fixedBytes : cellRowBytes(column, row);
  }
}

// Checks every cell of a column and adds its bytes to its row's.
void measureColumn(ColumnReader const& column, std::uint32_t columnIndex, ValueLimits const& limits,
                   std::span<std::size_t> rowBytes, ProblemList& problems) {
  if (allCellsFit(column, rowBytes.size(), limits)) return addCellBytes(column, rowBytes);
  for (std::uint32_t row = 0; row < rowBytes.size(); row++) {
    if (auto problem = writtenCellProblem(column, row, limits)) {
      problems.addCell(row, columnIndex, *std::move(problem));
    } else if (column.isPresent(row)) {
      rowBytes[row] += cellRowBytes(column, row);
    }
  }
}

std::vector<std::size_t> measureRows(RowLayout const& layout, std::span<ColumnReader const> columns,
                                     std::size_t rowCount, ValueLimits const& limits,
                                     ProblemList& problems) {
  std::vector<std::size_t> rowBytes(rowCount, layout.presenceOffset() + layout.presenceBytes());
  for (std::uint32_t index = 0; index < columns.size(); index++) {
    measureColumn(columns[index], index, limits, rowBytes, problems);
  }
  for (std::uint32_t row = 0; row < rowCount; row++) {
    if (rowBytes[row] <= limits.rowBytesMax) continue;
    problems.addRow({row, std::nullopt,
                     "the row takes " + std::to_string(rowBytes[row]) + " bytes, at most " +
                         std::to_string(limits.rowBytesMax) + " are allowed"});
  }
  return rowBytes;
}

std::uint8_t* writeHeader(RowLayout const& layout, std::int64_t eventTimeUs, std::uint64_t sequence,
                          std::uint8_t* to) {
  to = storeVarint(to, layout.id);
  to = storeBig(to, flipSign(eventTimeUs), 8);
  return storeBig(to, sequence, 8);
}

// A column at a time; `cursors` are where each row's next value goes.
void writeColumn(ColumnReader const& column, std::size_t columnIndex,
                 std::span<std::uint8_t* const> presences, std::span<std::uint8_t*> cursors) {
  auto const bit = static_cast<std::uint8_t>(1u << (columnIndex % 8));
  for (std::size_t row = 0; row < cursors.size(); row++) {
    if (column.isPresent(row)) presences[row][columnIndex / 8] |= bit;
  }
  writeCells(column, cursors);
}

}  // namespace

EncodedRows encodeRows(RowLayout const& layout, RowsToEncode const& rows, ValueLimits const& limits,
                       ProblemList& problems) {
  std::size_t const rowCount = rows.eventTimesUs.size();
  std::vector<ColumnReader> const columns = openColumns(layout, rows, problems);
  if (!problems.empty()) return {};
  auto const rowBytes = measureRows(layout, columns, rowCount, limits, problems);
  if (!problems.empty()) return {};

  EncodedRows out;
  out.offsets.reserve(rowCount + 1);
  out.offsets.push_back(0);
  std::size_t endOffset = 0;
  for (std::size_t const byteCount : rowBytes) {
    endOffset += byteCount;
    out.offsets.push_back(toOffset(endOffset));
  }
  out.bytes.resize(out.offsets.back());
  std::vector<std::uint8_t*> presences;
  std::vector<std::uint8_t*> cursors;
  presences.reserve(rowCount);
  cursors.reserve(rowCount);
  for (std::size_t row = 0; row < rowCount; row++) {
    std::uint8_t* const start = out.bytes.data() + out.offsets[row];
    presences.push_back(writeHeader(layout, rows.eventTimesUs[row], rows.sequence, start));
    cursors.push_back(presences[row] + layout.presenceBytes());
  }
  for (std::size_t index = 0; index < columns.size(); index++) {
    writeColumn(columns[index], index, presences, cursors);
  }
  return out;
}

}  // namespace larder::codec
