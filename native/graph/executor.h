// Runs a program over columns, a block of rows at a time.
//
// A register is uniform, one number, where everything it is made of is: what depends on broadcast
// columns and constants only is computed once a block. The caller owns the columns and has checked
// their counts against the program; nothing is kept afterwards, and nothing shared is written, so
// any number of threads may run one program.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <variant>

#include "graph/program.h"

namespace larder::graph {

// What a column of the program is in this run; which fields count follows from its kind.
struct Column {
  // number: one per row, or one. vector: dim per row, or dim. list: all elements in row order.
  std::variant<float const*, double const*> values = static_cast<double const*>(nullptr);
  bool isBroadcast = false;
  // list: per row, or one. They add up to valueCount.
  std::uint32_t const* lengths = nullptr;
  std::size_t valueCount = 0;
  // output: one per row.
  double* output = nullptr;
};

// `columns`: one for each of the program's, in order. Every output a program stores is filled.
void run(Program const& program, std::span<Column const> columns, std::size_t rowCount);

}  // namespace larder::graph
