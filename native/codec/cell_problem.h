// What is wrong with a batch of columns, told in a bounded number of problems.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace larder::codec {

struct CellProblem {
  std::optional<std::uint32_t> rowIndex;     // nothing where the column as a whole is wrong
  std::optional<std::uint32_t> columnIndex;  // nothing where the row as a whole is
  std::string reason;
};

// Counts every bad row and every bad column once; lists the first `toldMax` of them.
class ProblemList {
 public:
  ProblemList(std::size_t rowCount, std::size_t toldMax) : isBadRow_(rowCount), toldMax_(toldMax) {}

  void addColumn(std::uint32_t columnIndex, std::string reason) {
    add({std::nullopt, columnIndex, std::move(reason)});
  }
  void addCell(std::uint32_t rowIndex, std::uint32_t columnIndex, std::string reason) {
    addRow({rowIndex, columnIndex, std::move(reason)});
  }
  void addRow(CellProblem problem) {
    if (isBadRow_[*problem.rowIndex]) return;
    isBadRow_[*problem.rowIndex] = true;
    add(std::move(problem));
  }
  bool empty() const { return count_ == 0; }
  std::size_t count() const { return count_; }
  std::vector<CellProblem> const& told() const { return told_; }

 private:
  void add(CellProblem problem) {
    count_++;
    if (told_.size() < toldMax_) told_.push_back(std::move(problem));
  }

  std::vector<bool> isBadRow_;
  std::size_t toldMax_;
  std::size_t count_ = 0;
  std::vector<CellProblem> told_;
};

}  // namespace larder::codec
