// A compiled graph: instructions over number registers and columns, checked once.
//
// The words (u32, made by `src/predict/composite/compile-graph.ts`):
//
//   constant registers, registers, columns
//   per column: kind, dim                       (dim of vectors and scratch vectors; else 0)
//   per instruction: op, operand words, those words
//
// Registers below the constant count hold the first constants and are never written; tables of
// numbers lie behind them in the constants. `parseProgram` checks every index, kind, dimension and
// order of writes, so that the executor may trust them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <variant>
#include <vector>

namespace larder::graph {

// Rows that are worked on at once: a register of them is 1 KiB.
inline constexpr std::size_t kBlockRows = 128;
// What one program may claim. TypeScript's own bounds are lower and have messages.
inline constexpr std::uint32_t kRegistersMax = 1 << 16;
inline constexpr std::uint32_t kWrittenRegistersMax = 1 << 13;
inline constexpr std::uint32_t kColumnsMax = 1 << 13;
inline constexpr std::uint32_t kDimMax = 1 << 16;
inline constexpr std::uint32_t kScratchCellsMax = 1 << 15;

// The numbers are shared with `graphColumns` in src/native-graph.ts.
enum class ColumnKind : std::uint32_t {
  number,  // read: a number per row, or one
  vector,  // read: `dim` numbers per row, or `dim`
  list,    // read: values and lengths, per row or one
  output,  // written: a number per row; may be read afterwards by another program only
  scratch  // a vector that an instruction makes; the caller has no part of it
};

struct ColumnShape {
  ColumnKind kind;
  std::uint32_t dim;
};

// The numbers are shared with `graphOps` in src/native-graph.ts. Operands: r a register, w the one
// written, c a column, k an index into the constants, n a count.
enum class Op : std::uint32_t {
  load,                  // w c
  store,                 // c r
  negate,                // w r
  abs,                   // w r
  exp,                   // w r
  log,                   // w r
  sigmoid,               // w r
  logicalNot,            // w r
  isMissing,             // w r
  add,                   // w r r
  subtract,              // w r r
  multiply,              // w r r
  divide,                // w r r
  min,                   // w r r
  max,                   // w r r
  equal,                 // w r r
  notEqual,              // w r r
  less,                  // w r r
  lessOrEqual,           // w r r
  greater,               // w r r
  greaterOrEqual,        // w r r
  logicalAnd,            // w r r
  logicalOr,             // w r r
  firstPresent,          // w r r
  select,                // w r r r: condition, then, else
  bucketize,             // w r k n: n boundaries from k on
  lookup,                // w r k n: n table entries from k on, then the entry for anything else
  weigh,                 // w r r k: sum, number, weight
  weighVector,           // w r c k: sum, vector, its weights from k on
  oneHot,                // c r: a scratch column
  dot,                   // w c c
  cosine,                // w c c
  size,                  // w c
  sizeUnique,            // w c
  countMatches,          // w c c
  countMatchesUnique,    // w c c
  countMatchesAt,        // w r c c…: index, its list, the others
  countMatchesAtUnique,  // w r c c…
  itemAt,                // w r c
};
inline constexpr std::uint32_t kOpCount = static_cast<std::uint32_t>(Op::itemAt) + 1;

struct Instruction {
  Op op;
  std::uint32_t begin;  // of its operands in Program::operands
  std::uint32_t count;
};

struct Program {
  std::uint32_t constantCount;
  std::uint32_t registerCount;
  std::vector<ColumnShape> columns;
  std::vector<Instruction> instructions;
  std::vector<std::uint32_t> operands;
  std::vector<double> constants;

  std::span<std::uint32_t const> operandsOf(Instruction const& instruction) const {
    return std::span(operands).subspan(instruction.begin, instruction.count);
  }
  std::size_t bytes() const {
    return columns.size() * sizeof(ColumnShape) + instructions.size() * sizeof(Instruction) +
           operands.size() * sizeof(std::uint32_t) + constants.size() * sizeof(double);
  }
};

// The program, or what is wrong with it: then whoever compiled it has a bug.
std::variant<Program, std::string> parseProgram(std::span<std::uint32_t const> words,
                                                std::span<double const> constants);

}  // namespace larder::graph
