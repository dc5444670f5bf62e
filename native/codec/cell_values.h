// Cell values on their way into rows and keys: checked against their type, then written.
//
// How each type stands in a row is drawn in docs/formats/row-v1.md. A cell is checked before its
// bytes are counted, and counted before it is written: `writeCells` writes exactly `cellRowBytes`.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "codec/wire_column.h"

namespace larder::codec {

struct ValueLimits {
  std::size_t rowBytesMax;
  std::size_t valueBytesMax;
  std::size_t listElementsMax;
};

// Why the cell's values do not fit its type: names the value and the bound. For present cells.
std::optional<std::string> cellProblem(ColumnReader const& column, std::size_t cell,
                                       ValueLimits const& limits);

// Whether all `cellCount` cells can be written, values of null ones included: a quick look that may
// deny a column whose cells `cellProblem` and `nullProblem` have nothing against, never the
// reverse.
bool allCellsFit(ColumnReader const& column, std::size_t cellCount, ValueLimits const& limits);

// Why one element of an integer type does not fit, or of a text type is not UTF-8 or too long.
std::optional<std::string> elementProblem(ColumnReader const& column, std::size_t element,
                                          ValueLimits const& limits);

// Why a cell without a value is not as such cells are: its length is not 0.
std::optional<std::string> nullProblem(ColumnReader const& column, std::size_t cell);

// The element of an integer type or bool, which has been checked.
std::int64_t integerAt(ColumnReader const& column, std::size_t element);

std::size_t cellRowBytes(ColumnReader const& column, std::size_t cell);

// Where a cell is to be written.
struct CellCursor {
  std::size_t cell;
  std::uint8_t* to;
};

// Writes each present one of the cells, and moves its cursor behind it.
void writeCells(ColumnReader const& column, std::span<CellCursor> cursors);

// Sets `bits` to the scalars of cells from `beginCell` on as rows store them: integers
// sign-extended, floats as their bits, null cells as 0. Not for texts and bytes.
void loadScalars(ColumnReader const& column, std::size_t beginCell, std::span<std::uint64_t> bits);

// The same of the elements of a present cell of a list or embedding. Returns the scale, which only
// int8 embeddings have: their elements are steps of it.
float loadElements(ColumnReader const& column, std::size_t cell, std::vector<std::uint64_t>& bits);

}  // namespace larder::codec
