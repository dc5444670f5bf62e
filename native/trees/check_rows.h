// Rows to look at a model's kernels with: every feature takes the model's own thresholds, the
// numbers next to them, and the values that are special to some rule.
#pragma once

#include <cstddef>
#include <vector>

#include "trees/columns.h"
#include "trees/model.h"

namespace larder::trees {

class CheckRows {
 public:
  CheckRows(Model const& model, std::size_t rowCount);

  std::size_t rowCount() const { return rowCount_; }
  // A column per feature. Floats and doubles hold different values: each the neighbours in its own
  // width.
  std::vector<Column> floats() const;
  std::vector<Column> doubles() const;

 private:
  std::size_t rowCount_;
  std::vector<std::vector<float>> floats_;
  std::vector<std::vector<double>> doubles_;
};

}  // namespace larder::trees
