#include "codec/wire_column.h"

#include <optional>
#include <string_view>
#include <utility>

namespace larder::codec {

namespace {

constexpr std::size_t kLengthBytes = 4;

std::string_view nameOf(ColumnClass columnClass) {
  switch (columnClass) {
    case ColumnClass::f32:
      return "f32";
    case ColumnClass::f64:
      return "f64";
    case ColumnClass::i64:
      return "i64";
    case ColumnClass::var:
      return "var";
    case ColumnClass::list:
      return "list";
  }
  __builtin_unreachable();
}

bool accepts(FeatureType const& type, ColumnClass given) {
  ColumnClass const declared = elementClassOf(type.scalar);
  if (given == declared) return true;
  if (type.scalar == Scalar::float64) return given == ColumnClass::f32;
  return integerRangeOf(type.scalar).has_value() && given != ColumnClass::var;
}

std::string classText(ColumnClass columnClass, ColumnClass elementClass) {
  std::string text(nameOf(columnClass));
  if (columnClass != ColumnClass::list) return text;
  return text.append("<").append(nameOf(elementClass)).append(">");
}

std::optional<std::string> wrongClass(WireColumn const& column, FeatureType const& type) {
  bool const isList = column.columnClass == ColumnClass::list;
  bool const wantsList = columnClassOf(type) == ColumnClass::list;
  if (isList == wantsList && accepts(type, column.elementClass)) return std::nullopt;
  return "its declared type " + describe(type) + " is sent as " +
         classText(columnClassOf(type), elementClassOf(type.scalar)) + ", not as " +
         classText(column.columnClass, column.elementClass);
}

std::optional<std::string> notWhole(std::string_view what, std::size_t byteCount,
                                    std::size_t cellBytes) {
  if (byteCount % cellBytes == 0) return std::nullopt;
  return "the column's " + std::string(what) + " are " + std::to_string(byteCount) +
         " bytes, not a multiple of " + std::to_string(cellBytes);
}

std::size_t sumOf(Bytes lengths) {
  std::size_t sum = 0;
  for (std::size_t at = 0; at < lengths.size(); at += kLengthBytes) {
    sum += loadLittle<std::uint32_t>(&lengths[at]);
  }
  return sum;
}

std::optional<std::string> notSummed(std::string_view what, Bytes lengths, std::size_t held) {
  std::size_t const sum = sumOf(lengths);
  if (sum == held) return std::nullopt;
  return "the column's lengths add up to " + std::to_string(sum) + ", but it holds " +
         std::to_string(held) + " " + std::string(what);
}

std::optional<std::string> wrongCount(std::string_view what, std::size_t count,
                                      std::size_t expected) {
  if (count == expected) return std::nullopt;
  return "the column has " + std::to_string(count) + " " + std::string(what) + ", expected " +
         std::to_string(expected);
}

std::optional<std::string> ragged(WireColumn const& column, std::size_t cellCount) {
  bool const isVar = column.elementClass == ColumnClass::var;
  bool const isList = column.columnClass == ColumnClass::list;
  std::size_t const elementBytes = columnCellBytes(column.elementClass);
  Bytes const elements = isVar ? column.lengths : column.data;
  std::size_t const elementCount = elements.size() / elementBytes;
  std::size_t const cells = isList ? column.listLengths.size() / kLengthBytes : elementCount;
  std::optional<std::string> problem;
  if (isList) problem = notWhole("list lengths", column.listLengths.size(), kLengthBytes);
  if (!problem) {
    problem = notWhole(isVar ? "lengths" : "values", elements.size(), elementBytes);
  }
  if (!problem) problem = wrongCount("cells", cells, cellCount);
  if (!problem && isList) problem = notSummed("elements", column.listLengths, elementCount);
  if (!problem && isVar) problem = notSummed("bytes", column.lengths, column.data.size());
  if (!problem && column.hasStatus) {
    problem = wrongCount("statuses", column.status.size(), cellCount);
  }
  return problem;
}

std::vector<std::size_t> runningSums(Bytes lengths) {
  std::vector<std::size_t> sums(lengths.size() / kLengthBytes + 1, 0);
  for (std::size_t index = 1; index < sums.size(); index++) {
    std::uint8_t const* const length = lengths.data() + (index - 1) * kLengthBytes;
    sums[index] = sums[index - 1] + loadLittle<std::uint32_t>(length);
  }
  return sums;
}

}  // namespace

std::string describeStatus(std::uint8_t status) {
  switch (static_cast<CellStatus>(status)) {
    case CellStatus::present:
      return "PRESENT";
    case CellStatus::nullValue:
      return "NULL_VALUE";
    case CellStatus::notFound:
      return "NOT_FOUND";
    case CellStatus::outsideMaxAge:
      return "OUTSIDE_MAX_AGE";
    case CellStatus::unavailable:
      return "UNAVAILABLE";
  }
  return "of the unknown status " + std::to_string(status);
}

ColumnReader::ColumnReader(WireColumn const& column, FeatureType const& type)
    : column_(column), type_(type) {
  if (column.columnClass == ColumnClass::list) listOffsets_ = runningSums(column.listLengths);
  if (column.elementClass == ColumnClass::var) dataOffsets_ = runningSums(column.lengths);
}

std::variant<ColumnReader, std::string> openColumn(WireColumn const& column,
                                                   FeatureType const& type, std::size_t cellCount) {
  if (auto problem = wrongClass(column, type)) return *std::move(problem);
  if (auto problem = ragged(column, cellCount)) return *std::move(problem);
  return ColumnReader(column, type);
}

}  // namespace larder::codec
