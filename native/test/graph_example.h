// What the graph engine's plain C++ tests share: programs by hand, and a way to fail.
#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "graph/executor.h"

namespace larder::graph::test {

inline void check(bool condition, std::string const& what) {
  if (condition) return;
  std::fprintf(stderr, "failed: %s\n", what.c_str());
  std::abort();
}

// The words of a program, an instruction at a time.
class Words {
 public:
  Words(std::uint32_t constantCount, std::uint32_t registerCount,
        std::vector<ColumnShape> const& columns) {
    words_ = {constantCount, registerCount, static_cast<std::uint32_t>(columns.size())};
    for (ColumnShape const& column : columns) {
      words_.push_back(static_cast<std::uint32_t>(column.kind));
      words_.push_back(column.dim);
    }
  }

  Words& add(Op op, std::vector<std::uint32_t> const& operands) {
    words_.push_back(static_cast<std::uint32_t>(op));
    words_.push_back(static_cast<std::uint32_t>(operands.size()));
    words_.insert(words_.end(), operands.begin(), operands.end());
    return *this;
  }

  std::vector<std::uint32_t> const& words() const { return words_; }

 private:
  std::vector<std::uint32_t> words_;
};

// One of every op: constants 0 and 1 are registers, behind them a table of 2, 4, 8.
inline std::vector<double> const kConstants = {0.5, 2, 2, 4, 8};
inline std::vector<ColumnShape> const kColumns = {
    {ColumnKind::number, 0}, {ColumnKind::number, 0}, {ColumnKind::vector, 3},
    {ColumnKind::vector, 3}, {ColumnKind::list, 0},   {ColumnKind::list, 0},
    {ColumnKind::output, 0}, {ColumnKind::scratch, 3}};

inline std::vector<std::uint32_t> everyOp() {
  Words words(2, 6, kColumns);
  words.add(Op::load, {2, 0}).add(Op::load, {3, 1});
  for (auto op = static_cast<std::uint32_t>(Op::negate);
       op <= static_cast<std::uint32_t>(Op::isMissing); ++op) {
    words.add(static_cast<Op>(op), {4, 2}).add(Op::add, {5, 4, 3});
  }
  for (auto op = static_cast<std::uint32_t>(Op::add);
       op <= static_cast<std::uint32_t>(Op::firstPresent); ++op) {
    words.add(static_cast<Op>(op), {4, 2, 3}).add(static_cast<Op>(op), {5, 0, 4});
  }
  words.add(Op::select, {4, 2, 3, 0})
      .add(Op::bucketize, {4, 2, 2, 3})
      .add(Op::lookup, {4, 2, 2, 2})
      .add(Op::weigh, {4, 4, 3, 1})
      .add(Op::weighVector, {4, 4, 2, 2})
      .add(Op::oneHot, {7, 2})
      .add(Op::dot, {5, 7, 2})
      .add(Op::cosine, {5, 2, 3})
      .add(Op::size, {4, 4})
      .add(Op::sizeUnique, {4, 4})
      .add(Op::countMatches, {4, 4, 5})
      .add(Op::countMatchesUnique, {4, 4, 5})
      .add(Op::countMatchesAt, {4, 2, 4, 5, 4})
      .add(Op::countMatchesAtUnique, {4, 2, 4, 5, 4})
      .add(Op::itemAt, {5, 2, 4})
      .add(Op::add, {4, 4, 5})
      .add(Op::store, {6, 4});
  return words.words();
}

}  // namespace larder::graph::test
